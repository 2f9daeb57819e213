using System.Globalization;
using Spillway.Policies.Measuring;

namespace Spillway.Policies.Breaking;

/// <summary>
/// Leaves a target alone that fails or asks for it, and tries it out with a few requests before it is used again. A
/// wait is only ever extended, never shortened. Pure, one owner; allocates only when made.
/// </summary>
/// <remarks>
/// M. Nygard, "Release it!" (2007), with a ratio over a window as in Polly and Envoy's outlier detection. Results of
/// requests that were sent before the last change of state neither open nor close it: those in flight when a target
/// dies would else count against its return.
/// </remarks>
internal sealed class Breaker
{
    /// <summary>While every probe is under way, somebody who waits looks again after so long.</summary>
    public static readonly TimeSpan ProbeWait = TimeSpan.FromMilliseconds(50);

    private readonly BreakerOptions _options;
    private readonly SlidingCount _all;
    private readonly SlidingCount _failed;
    private Instant _until;
    private Instant _closedAt;
    private bool _isOpen;
    private bool _isTold;
    private int _era;
    private int _level;
    private int _inRow;
    private int _probes;
    private int _probesWell;

    /// <summary>Closed.</summary>
    public Breaker(BreakerOptions options)
    {
        _options = options;
        var window = TimeSpan.FromMilliseconds(options.WindowMs);
        (_all, _failed) = (new(window), new(window));
    }

    /// <summary>How often it opened.</summary>
    public long Opened { get; private set; }

    /// <summary>What it is now.</summary>
    public BreakerState StateAt(Instant now) =>
        !_isOpen ? BreakerState.Closed : now < _until ? BreakerState.Open : BreakerState.HalfOpen;

    /// <summary>Whether a request may be sent now; takes nothing.</summary>
    public bool MayPass(Instant now) => FreeAt(now) <= now;

    /// <summary>Whether a request sent now would try the target out.</summary>
    public bool WantsProbe(Instant now) => StateAt(now) is BreakerState.HalfOpen && HasProbe;

    /// <summary>
    /// When a request may be sent: now, at the end of the wait, or when a probe that is under way may be over.
    /// </summary>
    public Instant FreeAt(Instant now) => StateAt(now) switch
    {
        BreakerState.Closed => now,
        BreakerState.Open => _until,
        BreakerState.HalfOpen => HasProbe ? now : now + ProbeWait,
    };

    // One request finds out; only when it went well do others stand in for it.
    private bool HasProbe => _probes < (_probesWell == 0 ? 1 : _options.Probes);

    /// <summary>A request is sent; the caller asked <see cref="MayPass"/> at the same instant.</summary>
    public BreakerPass Enter(Instant now)
    {
        var probes = StateAt(now) is BreakerState.HalfOpen;
        _probes += probes ? 1 : 0;
        return new(_era, probes);
    }

    /// <summary>The request is over.</summary>
    /// <param name="pass">Its right.</param>
    /// <param name="fault">How it failed; null when it did not.</param>
    /// <param name="retryAfter">What the target asked to wait; null when it did not say.</param>
    /// <param name="now">The present.</param>
    public void Ended(in BreakerPass pass, FaultKind? fault, TimeSpan? retryAfter, Instant now)
    {
        var sign = BreakerTable.Of(fault);
        var isOfNow = pass.Era == _era;
        if (isOfNow && pass.IsProbe)
            _probes--;
        // What the target says itself counts, however old the request is: it extends, and never shortens.
        if (sign is TargetSign.Throttled && retryAfter is { } wait && wait > TimeSpan.Zero)
            ObeyWait(wait, now);
        else if (!isOfNow || sign is TargetSign.Nothing)
            return;
        else if (pass.IsProbe)
            Probed(sign, now);
        else if (!_isOpen)
            Count(sign, now);
    }

    /// <summary>What it is and why, for the record of the request.</summary>
    public string Explain(Instant now) => StateAt(now) switch
    {
        BreakerState.Closed => Text($"closed: {_failed.Within(now)} of {_all.Within(now)} failed lately"),
        BreakerState.Open => _isTold
            ? Text($"left alone for {(_until - now).TotalMilliseconds:0} ms more, as it asked")
            : Text($"left alone for {(_until - now).TotalMilliseconds:0} ms more, after failures"),
        BreakerState.HalfOpen => Text($"tried out: {_probesWell} of {_options.Probes} probes went well"),
    };

    private void Count(TargetSign sign, Instant now)
    {
        _all.Add(now);
        _inRow = sign is TargetSign.Well ? 0 : _inRow + 1;
        if (_inRow == 0)
            return;
        _failed.Add(now);
        var (all, failed) = (_all.Within(now), _failed.Within(now));
        if (_inRow >= _options.FailuresInRowMax
            || (all >= _options.RequestsMin && failed * 100.0 >= all * _options.FailurePercent))
        {
            // One that was well for a whole window begins anew; one that comes and goes is left alone for longer.
            if (now - _closedAt >= TimeSpan.FromMilliseconds(_options.WindowMs))
                _level = 0;
            Open(now);
        }
    }

    private void Probed(TargetSign sign, Instant now)
    {
        if (sign is not TargetSign.Well)
            Open(now);
        else if (++_probesWell >= _options.Probes)
            Close(now);
    }

    private void Open(Instant now)
    {
        var cool = Math.Min(_options.CoolMs * Math.Pow(2, Math.Min(_level, 40)), _options.CoolMaxMs);
        _level++;
        _isTold = false;
        Wait(now + TimeSpan.FromMilliseconds(cool));
    }

    private void ObeyWait(TimeSpan wait, Instant now)
    {
        var most = TimeSpan.FromMilliseconds(_options.RetryAfterMaxMs);
        var until = now + (wait < most ? wait : most);
        if (_isOpen && until <= _until)
            return;
        _isTold = true;
        Wait(until);
    }

    private void Wait(Instant until)
    {
        Opened += _isOpen ? 0 : 1;
        _until = _isOpen && _until > until ? _until : until;
        _isOpen = true;
        NewEra();
    }

    private void Close(Instant now)
    {
        (_isOpen, _closedAt) = (false, now);
        NewEra();
        _all.Clear();
        _failed.Clear();
    }

    private void NewEra()
    {
        _era++;
        (_probes, _probesWell, _inRow) = (0, 0, 0);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// The breaker that lets a request pass soonest, and when; with none, -1 and never. So with all targets open a
    /// request waits inside its deadline for the first of them, or is told when that will be.
    /// </summary>
    public static (int Index, Instant At) SoonestOf(ReadOnlySpan<Breaker> breakers, Instant now)
    {
        var (index, at) = (-1, Instant.Never);
        for (var i = 0; i < breakers.Length; i++)
        {
            var free = breakers[i].FreeAt(now);
            if (index < 0 || free < at)
                (index, at) = (i, free);
        }

        return (index, at);
    }
}

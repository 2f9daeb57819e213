using Microsoft.Extensions.Logging;
using Spillway.Flow.Guards;
using Spillway.Policies.Switching;
using Spillway.Store.Switches;
using Spillway.Telemetry;

namespace Spillway.Engine.Guards;

/// <summary>
/// The kill switches of a server: one immutable <see cref="Switches"/> that is swapped, so that a flip holds for the
/// very next request; kept in the state folder; and looked for as the file `off`. Thread-safe.
/// </summary>
internal sealed class SwitchDesk : IDisposable
{
    private readonly Lock _flipping = new();
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Func<SwitchTarget, Fault, int> _abort;
    private volatile Switches _now = Switches.AllOn;
    private ITimer? _watch;
    private string _offFile = "";
    private Func<Outcome<string>> _folder = static () => new Fault(FaultKind.StoreFailed, "There is no state folder.");

    /// <summary>Everything is on.</summary>
    /// <param name="time">Of the watch on the file.</param>
    /// <param name="logger">Where flips are told.</param>
    /// <param name="abort">Ends what is in flight of a target, with a fault; how many that were.</param>
    public SwitchDesk(TimeProvider time, ILogger logger, Func<SwitchTarget, Fault, int> abort) =>
        (_time, _logger, _abort) = (time, logger, abort);

    /// <summary>What is off now.</summary>
    public Switches Now => _now;

    /// <summary>What is counted.</summary>
    public GuardCounts Counts { get; } = new();

    /// <summary>
    /// Takes over what an earlier process left, and begins to look for the file. A fault when the former cannot be
    /// read: then nobody knows what must stay off.
    /// </summary>
    /// <param name="folder">The state folder's path; it need not exist.</param>
    /// <param name="take">Takes the folder for this process when something is to be kept; its path, or why not.</param>
    /// <param name="lookEvery">How often to look for the file; zero: never.</param>
    public Fault? Open(string folder, Func<Outcome<string>> take, TimeSpan lookEvery)
    {
        _folder = take;
        if (!SwitchFile.Read(Path.Combine(folder, SwitchFile.FileName)).TryGet(out var rows, out var fault))
            return fault;
        List<SwitchedOff> off = [];
        foreach (var row in rows)
        {
            if (!Enum.TryParse<SwitchKind>(row.What, ignoreCase: true, out var kind))
            {
                return new(FaultKind.StoreFailed, $"{SwitchFile.FileName} in {folder} names the unknown kind "
                    + $"'{row.What}'. A newer Spillway wrote it; run that one, or delete the file.");
            }

            off.Add(new(new(kind, row.Name), row.Since, row.Why));
        }

        _now = Switches.Of(off);
        _offFile = Path.Combine(folder, SwitchFile.OffName);
        if (lookEvery <= TimeSpan.Zero)
            return null;
        LookForFile();
        _watch = _time.CreateTimer(static self => ((SwitchDesk)self!).LookForFile(), this, lookEvery, lookEvery);
        return null;
    }

    /// <summary>Switches off at once; what is in flight ends by itself, or is ended.</summary>
    /// <returns>Whether it survives a restart (else why not), and how many requests were ended.</returns>
    public SwitchFlip TurnOff(SwitchTarget target, string why, bool aborts)
    {
        var off = new SwitchedOff(target, _time.GetUtcNow(), why);
        Fault? kept;
        lock (_flipping)
        {
            _now = _now.With(off);
            kept = Keep();
        }

        var ended = aborts ? Abort(off) : 0;
        GuardLog.Off(_logger, target.ToString(), ended, why);
        return new(kept, ended);
    }

    /// <summary>Switches on again; what the file turned off stays off.</summary>
    public SwitchFlip TurnOn(SwitchTarget target)
    {
        Fault? kept;
        lock (_flipping)
        {
            _now = _now.Without(target);
            kept = Keep();
        }

        GuardLog.On(_logger, target.ToString());
        return new(kept, 0);
    }

    /// <inheritdoc/>
    public void Dispose() => _watch?.Dispose();

    /// <summary>On the timer: has the file come or gone?</summary>
    private void LookForFile()
    {
        if (SwitchFile.IsOff(_offFile, out var aborts) is not { } isThere)
            return;
        SwitchedOff? off = null;
        lock (_flipping)
        {
            var known = _now.Off.Any(o => o.ByFile);
            if (known == isThere)
                return;
            if (isThere)
                off = new(new(SwitchKind.Everything, ""), _time.GetUtcNow(), "") { ByFile = true };
            _now = off is not null ? _now.With(off) : _now.WithoutFile();
        }

        if (off is null)
        {
            GuardLog.On(_logger, "everything, by the file");
            return;
        }

        GuardLog.Off(_logger, "everything, by the file", aborts ? Abort(off) : 0, "");
    }

    private int Abort(SwitchedOff off)
    {
        var ended = _abort(off.Target, GuardRefusals.Off(off));
        Counts.Aborted.Add(ended);
        return ended;
    }

    /// <summary>Under the lock. Flips are rare, and their order on the disk is that of their effect.</summary>
    private Fault? Keep()
    {
        if (!_folder().TryGet(out var folder, out var fault)
            || (fault = SwitchFile.Write(Path.Combine(folder, SwitchFile.FileName), [.. _now.Off
                .Where(o => !o.ByFile)
                .Select(o => new SwitchRow(Name(o.Target.Kind), o.Target.Name, o.Since, o.Why))])) is not null)
        {
            GuardLog.SwitchNotKept(_logger, fault.Message);
        }

        return fault;
    }

    private static string Name(SwitchKind kind) => kind switch
    {
        SwitchKind.Everything => "everything",
        SwitchKind.Model => "model",
        SwitchKind.Route => "route",
        SwitchKind.Tenant => "tenant",
    };
}

/// <summary>What a flip came to.</summary>
/// <param name="NotKept">Why it would not survive a restart; null when it does.</param>
/// <param name="Ended">Requests in flight that were ended.</param>
internal readonly record struct SwitchFlip(Fault? NotKept, int Ended);

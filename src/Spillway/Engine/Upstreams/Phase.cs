using System.Globalization;
using Spillway.Config;

namespace Spillway.Engine.Upstreams;

/// <summary>
/// What a call to a target waits for at the moment, and how long it may. One timer, set anew with each phase; the
/// nearest of the phase's own bound, the call's total and the request's deadline ends it.
/// </summary>
internal sealed class Phase : IDisposable
{
    private readonly CancellationTokenSource _late;
    private readonly CancellationTokenSource _either;
    private readonly CancellationToken _aborted;
    private readonly UpstreamOptions _options;
    private readonly Clock _clock;
    private Instant _total;
    private Instant _deadline;
    private string _what = "";
    private double _bound;
    private bool _isDeadline;

    /// <summary>Begins a call.</summary>
    /// <param name="options">The bounds.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="deadline">When the answer is due.</param>
    /// <param name="aborted">The caller is gone.</param>
    public Phase(UpstreamOptions options, Clock clock, Instant deadline, CancellationToken aborted)
    {
        (_options, _clock, _deadline, _aborted) = (options, clock, deadline, aborted);
        _total = clock.Now + TimeSpan.FromMilliseconds(options.TotalMs);
        _late = new(Timeout.InfiniteTimeSpan, clock.Time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_late.Token, aborted);
    }

    /// <summary>Cancelled when any of the bounds is reached, or the caller leaves.</summary>
    public CancellationToken Token => _either.Token;

    /// <summary>The next phase begins now.</summary>
    /// <param name="what">What is waited for.</param>
    /// <param name="bound">How long, in milliseconds.</param>
    public void Enter(string what, double bound)
    {
        var now = _clock.Now;
        (_what, _bound) = (what, bound);
        var own = now + TimeSpan.FromMilliseconds(bound);
        if (_total < own)
            (own, _what, _bound) = (_total, "the whole answer", _options.TotalMs);
        _isDeadline = _deadline <= own;
        var left = (_isDeadline ? _deadline : own) - now;
        _late.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
    }

    /// <summary>What is waited for now is not the target's: nothing ends it until <see cref="Resume"/>.</summary>
    public void Pause() => _late.CancelAfter(Timeout.InfiniteTimeSpan);

    /// <summary>The target's time goes on, with the next <see cref="Enter"/>.</summary>
    /// <param name="paused">How long it stood still: the call's total ends that much later.</param>
    public void Resume(TimeSpan paused) => _total += paused;

    /// <summary>The request's deadline does not bound what follows: a stream has begun in time.</summary>
    /// <param name="what">What is waited for now.</param>
    /// <param name="bound">How long, in milliseconds.</param>
    public void Release(string what, double bound)
    {
        _deadline = Instant.Never;
        Enter(what, bound);
    }

    /// <summary>Why the call ended, as a fault.</summary>
    public Fault Explain(string target, Exception e)
    {
        if (_aborted.IsCancellationRequested)
            return new(FaultKind.Cancelled, "The caller went away before the answer was there.");
        if (_late.IsCancellationRequested)
        {
            return _isDeadline
                ? new(FaultKind.DeadlineExceeded, "Request timeout expired: the deadline came while the upstream "
                    + $"{target} was asked. Give more time, or a shorter upstreams.….firstDeltaMs.")
                : new(FaultKind.UpstreamTimeout, $"The upstream {target} took longer than "
                    + $"{_bound.ToString(CultureInfo.InvariantCulture)} ms for {_what}.");
        }

        if (e is OperationCanceledException)
        {
            return new(FaultKind.UpstreamTimeout, $"The upstream {target} took longer than "
                + $"{_options.ConnectMs.ToString(CultureInfo.InvariantCulture)} ms to connect.");
        }

        var isConnecting = e is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError
            or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError };
        return isConnecting
            ? new(FaultKind.UpstreamUnreachable, $"The upstream {target} cannot be reached: {Why(e)}")
            : new(FaultKind.UpstreamFailed, $"The upstream {target} broke the connection off: {e.Message}");
    }

    /// <summary>What is wrong with a certificate stands beneath.</summary>
    private static string Why(Exception e) =>
        e.InnerException is System.Security.Authentication.AuthenticationException wrong ? wrong.Message : e.Message;

    /// <inheritdoc/>
    public void Dispose()
    {
        _either.Dispose();
        _late.Dispose();
    }
}

using Spillway.Flow;

namespace Spillway.Protocols.Grpc;

/// <summary>
/// Ends a stream that would not end by itself: its caller fell silent in the middle of a message, sends nothing and
/// waits for nothing, or its deadline has passed, or the server stops.
/// </summary>
internal sealed class StreamWatch : IDisposable
{
    /// <summary>The longest pause inside a message.</summary>
    public static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(10);

    /// <summary>How often it looks.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly ServerContext _server;
    private readonly Func<bool> _isBusy;
    private readonly Action<Fault> _end;
    private readonly TimeSpan _idleMax;
    private readonly ITimer _tick;
    private readonly ITimer? _deadline;
    private long _arrived;
    private int _within;

    /// <param name="server">The server.</param>
    /// <param name="patience">The call's own deadline from now; null for none.</param>
    /// <param name="isBusy">Whether answers are still owed.</param>
    /// <param name="end">Called from a timer's thread, maybe more than once.</param>
    public StreamWatch(ServerContext server, TimeSpan? patience, Func<bool> isBusy, Action<Fault> end)
    {
        (_server, _isBusy, _end) = (server, isBusy, end);
        _idleMax = TimeSpan.FromMilliseconds(server.Snapshot.Server.GrpcStreamIdleMs);
        Arrived(within: false);
        var time = server.Serving.Clock.Time;
        _tick = time.CreateTimer(static self => ((StreamWatch)self!).Look(), this, Tick, Tick);
        if (patience is { } left)
        {
            // A timer holds at most 2^32 - 2 ms, seven weeks.
            left = left < TimeSpan.FromDays(40) ? left : TimeSpan.FromDays(40);
            _deadline = time.CreateTimer(static self => ((StreamWatch)self!).TooLate(), this, left,
                Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Something arrived, or reading began anew.</summary>
    public void Arrived(bool within)
    {
        Interlocked.Exchange(ref _arrived, _server.Serving.Clock.Now.Ticks);
        Volatile.Write(ref _within, within ? 1 : 0);
    }

    public void Dispose()
    {
        _tick.Dispose();
        _deadline?.Dispose();
    }

    private void Look()
    {
        var silent = new TimeSpan(_server.Serving.Clock.Now.Ticks - Interlocked.Read(ref _arrived));
        if (_server.Serving.Stopping)
            _end(Refusals.Stopping());
        else if (Volatile.Read(ref _within) != 0 && silent >= PauseMax)
            _end(new(
                FaultKind.InputIncomplete,
                $"A message arrived too slowly and was given up: nothing came for {PauseMax.TotalSeconds:0} s. Send it "
                + "faster, or in smaller messages."));
        else if (Volatile.Read(ref _within) == 0 && silent >= _idleMax && !_isBusy())
            _end(new(
                FaultKind.DeadlineExceeded,
                $"Nothing came on the stream for {_idleMax.TotalSeconds:0.###} s. Open a new one, or raise "
                + "server.grpcStreamIdleMs."));
    }

    private void TooLate() => _end(new(
        FaultKind.DeadlineExceeded, "The stream's deadline (grpc-timeout) has passed. Open a new one."));
}

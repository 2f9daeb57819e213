namespace Spillway.App.Load;

/// <summary>What both kinds of load offer to the round that runs them.</summary>
internal interface ILoad : IWorkSource, IDisposable
{
    /// <summary>Begins sending; returns at once.</summary>
    void Begin();

    /// <summary>No further request begins.</summary>
    void Stop();

    /// <summary>Requests begun and not ended.</summary>
    int InFlight { get; }

    /// <summary>Completed when the load itself has come to its end (its count of requests, its trace).</summary>
    Task Exhausted { get; }

    /// <summary>
    /// Called a few times a second: ends what has waited too long, revives what rests after a refused connection.
    /// </summary>
    void Tick();

    /// <summary>Whether something waits for the next <see cref="Tick"/>, which should come soon.</summary>
    bool Restless { get; }
}

/// <summary>
/// N connections that each send, wait for the answer and send again. The latency starts at the send itself: a closed
/// loop measures a server with patient clients, and says nothing about floods.
/// </summary>
internal sealed class ClosedLoop : ILoad
{
    private readonly LoadSettings _settings;
    private readonly Recorder _recorder;
    private readonly Connection[] _connections;
    private readonly Random _random;
    private readonly Queue<Connection> _resting = [];
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _exhausted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopped;
    private int _inFlight;
    private long _measured;

    public ClosedLoop(LoadSettings settings, Recorder recorder, int connections)
    {
        (_settings, _recorder, _random) = (settings, recorder, new Random(settings.Seed));
        _connections =
        [
            .. Enumerable.Range(0, connections).Select(_ =>
                new Connection(settings.Address, this, settings.Clock, settings.Stages)),
        ];
    }

    public int InFlight => Volatile.Read(ref _inFlight);

    public Task Exhausted => _exhausted.Task;

    public bool Restless => CountResting() > 0;

    public void Begin()
    {
        foreach (var connection in _connections)
            TryStart(connection);
    }

    public void Stop() => _stopped = true;

    public void Tick()
    {
        var now = _settings.Clock.Now;
        foreach (var connection in _connections)
            connection.AbortIfOlder(now - _settings.TimeoutNs);
        // One sweep per tick: those that fail again wait for the next one.
        for (var resting = CountResting(); resting > 0 && TryTakeResting(out var rested); resting--)
            TryStart(rested);
    }

    public void Ended(Connection connection, in Work work, long now, TransportError error, ResponseParser answer)
    {
        _recorder.Record(work, now, error, answer);
        Interlocked.Decrement(ref _inFlight);
        // A server that is away must not be asked ten thousand times a second: such a connection rests until a tick.
        connection.MustRest = error is TransportError.ConnectRefused or TransportError.ConnectFailed;
    }

    public bool TryNext(Connection connection, out Work work)
    {
        work = default;
        if (_stopped)
            return false;
        if (connection.MustRest)
        {
            // The last that this thread does with it: from here on a tick may start it.
            connection.MustRest = false;
            lock (_lock)
                _resting.Enqueue(connection);
            return false;
        }

        var now = _settings.Clock.Now;
        var measured = now >= _settings.MeasureFrom;
        if (now >= _settings.MeasureTo || (measured && Interlocked.Increment(ref _measured) > _settings.RequestsMax))
        {
            _exhausted.TrySetResult();
            return false;
        }

        work = new() { Bytes = NextBytes(), Scheduled = now, Dispatched = now, Measured = measured };
        if (measured)
            _recorder.Offer(work);
        Interlocked.Increment(ref _inFlight);
        return true;
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
            connection.Dispose();
    }

    private void TryStart(Connection connection)
    {
        if (TryNext(connection, out var work))
            connection.Start(work);
    }

    private bool TryTakeResting(out Connection connection)
    {
        lock (_lock)
            return _resting.TryDequeue(out connection!);
    }

    private int CountResting()
    {
        lock (_lock)
            return _resting.Count;
    }

    private byte[] NextBytes()
    {
        if (_settings.Requests.Length == 1)
            return _settings.Requests[0];
        lock (_lock)
            return _settings.Requests[_random.Next(_settings.Requests.Length)];
    }
}

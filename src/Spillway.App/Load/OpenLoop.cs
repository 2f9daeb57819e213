namespace Spillway.App.Load;

/// <summary>
/// Sends at scheduled instants, however the server fares. A thread of its own waits for each instant and hands the
/// request to a free connection or a new one; when all are taken it waits in a bounded backlog, and its latency counts
/// from its scheduled instant all the same, so a stalled server cannot hide behind requests that were never sent
/// (coordinated omission).
/// </summary>
internal sealed class OpenLoop : ILoad
{
    /// <summary>Requests that may wait for a connection; one more is an error of its own, counted.</summary>
    public const int BacklogMax = 200_000;

    private readonly LoadSettings _settings;
    private readonly Recorder _recorder;
    private readonly Schedule? _warmup;
    private readonly Schedule _schedule;
    private readonly int _connectionsMax;
    private readonly Random _random;
    private readonly Lock _lock = new();
    private readonly List<Connection> _connections = [];
    private readonly Stack<Connection> _free = [];
    private readonly Queue<Work> _backlog = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _exhausted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _dispatcher;
    private int _inFlight;

    public OpenLoop(LoadSettings settings, Recorder recorder, Schedule? warmup, Schedule schedule, int connectionsMax)
    {
        (_settings, _recorder, _warmup, _schedule) = (settings, recorder, warmup, schedule);
        _connectionsMax = connectionsMax;
        _random = new Random(settings.Seed);
        _dispatcher = new Thread(Dispatch) { IsBackground = true, Name = "load dispatcher" };
    }

    public int InFlight => Volatile.Read(ref _inFlight);

    public Task Exhausted => _exhausted.Task;

    public bool Restless => false;

    /// <summary>Connections opened so far.</summary>
    public int ConnectionCount
    {
        get
        {
            lock (_lock)
                return _connections.Count;
        }
    }

    /// <summary>Requests that found every connection taken.</summary>
    public long Waited { get; private set; }

    public void Begin() => _dispatcher.Start();

    /// <summary>What waits in the backlog is given up: it was offered, and is never sent.</summary>
    public void Stop()
    {
        _stop.Cancel();
        lock (_lock)
        {
            Interlocked.Add(ref _inFlight, -_backlog.Count);
            _backlog.Clear();
        }
    }

    public void Tick()
    {
        var before = _settings.Clock.Now - _settings.TimeoutNs;
        lock (_lock)
        {
            foreach (var connection in _connections)
                connection.AbortIfOlder(before);
        }
    }

    public void Ended(Connection connection, in Work work, long now, TransportError error, ResponseParser answer)
    {
        _recorder.Record(work, now, error, answer);
        Interlocked.Decrement(ref _inFlight);
    }

    public bool TryNext(Connection connection, out Work work)
    {
        lock (_lock)
        {
            work = default;
            if (!_stop.IsCancellationRequested && _backlog.TryDequeue(out work))
                return true;
            _free.Push(connection);
            return false;
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        if (_dispatcher.IsAlive)
            _dispatcher.Join();
        lock (_lock)
        {
            foreach (var connection in _connections)
                connection.Dispose();
        }

        _stop.Dispose();
    }

    private void Dispatch()
    {
        var pacer = new Pacer(_settings.Clock);
        if (_warmup is not null)
            Follow(_warmup, pacer, _settings.Clock.Now, _settings.MeasureFrom, measured: false);
        // Only a count or a trace ends early; a gap that reaches beyond the window belongs to the window.
        if (Follow(_schedule, pacer, _settings.MeasureFrom, _settings.MeasureTo, measured: true))
            pacer.WaitUntil(_settings.MeasureTo, _stop.Token);
        _exhausted.TrySetResult();
    }

    /// <summary>Sends what is due before <paramref name="end"/>; whether more would be due later.</summary>
    private bool Follow(Schedule schedule, Pacer pacer, long origin, long end, bool measured)
    {
        for (var left = measured ? _settings.RequestsMax : long.MaxValue; left > 0; left--)
        {
            if (!schedule.TryNext(out var offset, out var phase) || origin + offset >= end)
                return !schedule.IsTraceOver;
            if (!pacer.WaitUntil(origin + offset, _stop.Token))
                return false;
            Send(new()
            {
                Bytes = _settings.Requests[_random.Next(_settings.Requests.Length)],
                Scheduled = origin + offset,
                Dispatched = _settings.Clock.Now,
                Phase = phase,
                Measured = measured,
            });
        }

        return false;
    }

    private void Send(Work work)
    {
        if (work.Measured)
            _recorder.Offer(work);
        Interlocked.Increment(ref _inFlight);
        if (Place(work, out var waits) is { } connection)
        {
            connection.Start(work);
            return;
        }

        if (waits)
            return;
        Interlocked.Decrement(ref _inFlight);
        if (!_stop.IsCancellationRequested)
            _recorder.Record(work, work.Dispatched, TransportError.BacklogFull, answer: null);
    }

    /// <summary>
    /// The connection for a request; null when it waits in the backlog, or when even that is full, or all is over.
    /// </summary>
    private Connection? Place(in Work work, out bool waits)
    {
        waits = false;
        lock (_lock)
        {
            if (_stop.IsCancellationRequested)
                return null;
            if (_free.TryPop(out var free))
                return free;
            if (_connections.Count < _connectionsMax)
            {
                var opened = new Connection(_settings.Address, this, _settings.Clock, _settings.Stages);
                _connections.Add(opened);
                return opened;
            }

            Waited++;
            waits = _backlog.Count < BacklogMax;
            if (waits)
                _backlog.Enqueue(work);
            return null;
        }
    }
}

using Microsoft.Data.Sqlite;
using Spillway.Store.Sqlite;

namespace Spillway.Store.Ledger;

/// <summary>
/// The durable bills of one server: a bounded queue, and a thread of its own that writes what waits in transactions of
/// at most <see cref="BatchMax"/> entries, every <see cref="LedgerOptions.FlushMs"/> or sooner. Whoever hands an entry
/// over never waits for the disk. Thread-safe.
/// </summary>
/// <remarks>
/// What can be lost: entries that wait when the process is killed (the next start counts them, with their sum, from a
/// page of memory that outlives it), and entries that find the queue full. Both stand in the table gaps.
/// </remarks>
internal sealed class SqliteLedger : ILedger
{
    /// <summary>Entries of one transaction.</summary>
    public const int BatchMax = 4096;

    private const string FileName = "ledger.db";
    private const string PositionName = "ledger.position";
    private const int StopTries = 3;

    /// <summary>SQLITE_FULL: the disk has no room.</summary>
    private const int SqliteFull = 13;

    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(1);

    private readonly LedgerOptions _options;
    private readonly LedgerFile _file;
    private readonly LedgerPosition _position;
    private readonly LedgerQueue _queue;
    private readonly LedgerReader _reader;
    private readonly TimeProvider _time;
    private readonly Action<Fault?> _changed;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly ITimer _timer;
    private readonly Task _writing;
    private readonly Lock _flushing = new();
    private List<TaskCompletionSource> _flushes = [];
    private LedgerLoss _bookedLost;
    private Fault? _trouble;
    private Fault? _refusal;
    private long _failedAt;
    private long _written;
    private long _failures;
    private long _writeTicks;
    private volatile bool _stopping;

    private SqliteLedger(
        LedgerFile file, LedgerPosition position, LedgerReader reader, LedgerOptions options, TimeProvider time,
        Action<Fault?> changed)
    {
        (_file, _position, _reader, _options, _time, _changed) = (file, position, reader, options, time, changed);
        _queue = new(options.QueueLengthMax, BatchMax / 2, position, Wake);
        var interval = TimeSpan.FromMilliseconds(options.FlushMs);
        _timer = time.CreateTimer(static self => ((SqliteLedger)self!).OnTimer(), this, interval, interval);
        // A thread of its own: a disk that stands still must not take one of the pool's.
        _writing = Task.Factory.StartNew(
            Loop, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public Fault? Refusal => Volatile.Read(ref _refusal);

    /// <inheritdoc/>
    public LedgerLoss LostBefore { get; private init; }

    /// <inheritdoc/>
    public LedgerState Look()
    {
        var lost = _queue.Lost();
        return new(
            _queue.Count, _queue.Capacity, _queue.Deepest, Interlocked.Read(ref _written), lost.Entries,
            Interlocked.Read(ref _failures), new TimeSpan(Interlocked.Read(ref _writeTicks)),
            Volatile.Read(ref _trouble));
    }

    /// <summary>
    /// Opens the ledger of a state folder, and counts what an earlier process handed over and never wrote.
    /// </summary>
    /// <param name="folder">Held by this process.</param>
    /// <param name="currency">Of every amount.</param>
    /// <param name="options">Limits and what a failure means.</param>
    /// <param name="time">The clock of the writer and of gaps.</param>
    /// <param name="changed">
    /// Told, on the writer's thread, that writing fails and why, or with null that it succeeds again.
    /// </param>
    public static Outcome<SqliteLedger> Open(
        StateFolder folder, string currency, LedgerOptions options, TimeProvider time, Action<Fault?> changed)
    {
        var path = folder.FileOf(FileName);
        if (!LedgerFile.Open(path, currency, options).TryGet(out var file, out var fault))
            return fault;
        LedgerPosition? position = null;
        try
        {
            position = LedgerPosition.Open(folder.FileOf(PositionName));
            var (accounted, before) = (file.Accounted, default(LedgerLoss));
            if (position.Sequence > accounted.Entries)
            {
                before = new(position.Sequence - accounted.Entries, position.Nano - accounted.Nano);
                file.Write([], before, "not written before the process ended",
                    time.GetUtcNow().ToUnixTimeMilliseconds());
            }

            position.Move(file.Accounted.Entries, file.Accounted.Nano);
            return new SqliteLedger(file, position, LedgerReader.Open(path), options, time, changed)
            {
                LostBefore = before,
            };
        }
        catch (Exception failed) when (failed is SqliteException or IOException or UnauthorizedAccessException)
        {
            position?.Dispose();
            file.Dispose();
            return failed is SqliteException sql ? Database.Refused(path, sql)
                : new Fault(FaultKind.StoreFailed, $"The ledger's {folder.FileOf(PositionName)} cannot be used: "
                    + $"{failed.Message.TrimEnd('.')}. The server must be able to write it.");
        }
    }

    /// <inheritdoc/>
    public bool Offer(in LedgerEntry entry)
    {
        var taken = _queue.Offer(entry);
        // Far before the end of the queue: who is inside already must still find room.
        if (_options.OnFailure is LedgerFailure.Refuse && _queue.Count > _queue.Capacity / 4 * 3
            && Volatile.Read(ref _refusal) is null)
            Volatile.Write(ref _refusal, Crowded());
        return taken;
    }

    /// <inheritdoc/>
    public Task FlushAsync()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_flushing)
        {
            if (_stopping)
                return _writing;
            _flushes.Add(done);
        }

        Wake();
        return done.Task;
    }

    /// <inheritdoc/>
    public Outcome<CostReport> Read(in CostQuery query)
    {
        try
        {
            return _reader.Read(query);
        }
        catch (SqliteException failed)
        {
            return Database.Refused(_file.File, failed);
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync()
    {
        lock (_flushing)
            _stopping = true;
        Wake();
        await _writing.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        await _timer.DisposeAsync().ConfigureAwait(false);
        _queue.Close();
        _reader.Dispose();
        _position.Dispose();
        _file.Dispose();
    }

    /// <summary>Whether a drill plays the disk full; never while the ledger ends. Null for never.</summary>
    internal Func<bool>? DiskIsFull { get; set; }

    /// <summary>As a disk that is nearly full; for tests, while nothing is written.</summary>
    internal void AllowPages(int more) => _file.AllowPages(more);

    private void OnTimer()
    {
        // Also while requests are refused: then nobody else comes to find that there is room again.
        if (_queue.Count > 0 || _queue.Lost() != _bookedLost || Refusal is not null)
            Wake();
    }

    private void Wake()
    {
        // One permit is enough; a second only costs a look at an empty queue.
        if (_wake.CurrentCount == 0)
            _wake.Release();
    }

    private void Loop()
    {
        while (!_stopping)
        {
            _wake.Wait();
            List<TaskCompletionSource> flushes;
            lock (_flushing)
                (flushes, _flushes) = (_flushes, []);
            // After a failure a moment's rest, unless somebody asks for it.
            if (_trouble is null || flushes.Count > 0 || _stopping || _time.GetElapsedTime(_failedAt) >= s_retryAfter)
                TryDrain();
            flushes.ForEach(f => f.TrySetResult());
        }

        for (var tries = 0; tries < StopTries && !TryDrain(); tries++)
        {
        }

        lock (_flushing)
            _flushes.ForEach(f => f.TrySetResult());
    }

    /// <summary>Writes until nothing waits; false when the store said no.</summary>
    private bool TryDrain()
    {
        try
        {
            while (true)
            {
                var lost = _queue.Lost();
                var entries = _queue.Peek(BatchMax);
                if (entries.IsEmpty && lost == _bookedLost)
                    break;
                var began = _time.GetTimestamp();
                if (!_stopping && DiskIsFull?.Invoke() is true)
                    throw new SqliteException("a drill plays the disk full", SqliteFull);
                var fresh = new LedgerLoss(lost.Entries - _bookedLost.Entries, lost.Nano - _bookedLost.Nano);
                _file.Write(entries, fresh, "the queue was full", _time.GetUtcNow().ToUnixTimeMilliseconds());
                Interlocked.Add(ref _written, entries.Length);
                Interlocked.Add(ref _writeTicks, _time.GetElapsedTime(began).Ticks);
                _bookedLost = lost;
                _queue.Advance(entries.Length);
            }

            Became(null);
            return true;
        }
        catch (SqliteException failed)
        {
            _failedAt = _time.GetTimestamp();
            Interlocked.Increment(ref _failures);
            Became(Database.Refused(_file.File, failed));
            return false;
        }
    }

    private void Became(Fault? trouble)
    {
        var before = _trouble;
        Volatile.Write(ref _trouble, trouble);
        if (_options.OnFailure is LedgerFailure.Refuse && (trouble is not null || _queue.Count < _queue.Capacity / 2))
        {
            Volatile.Write(ref _refusal, trouble is null ? null : trouble with
            {
                Message = $"The server's ledger cannot be written, and ledger.onFailure is refuse. {trouble.Message}",
                RetryAfter = s_retryAfter,
            });
        }

        if (before is null != trouble is null)
            _changed(trouble);
    }

    private Fault Crowded() => new(
        FaultKind.StoreFailed,
        $"The server's ledger does not keep up: {_queue.Count:N0} of {_queue.Capacity:N0} entries wait, and "
        + "ledger.onFailure is refuse. Retry in a moment; raise ledger.queueLengthMax, or give it a faster disk.",
        s_retryAfter);
}

using System.Threading.Channels;

namespace Spillway.Engine;

/// <summary>
/// A thread for slow things, one after the other in the order in which they were asked for: loading, measuring.
/// Bounded. Made with the first job. A job that takes longer than the patience keeps its thread, and the next ones get
/// another: one that hangs does not stop the others. Thread-safe.
/// </summary>
/// <param name="most">Jobs that may wait.</param>
/// <param name="time">The clock of the patience.</param>
internal sealed class Jobs(int most, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Threads that a late job may keep; then the next one waits for it after all.</summary>
    private const int LateMax = 8;

    /// <summary>How long the end waits for what does not end by itself.</summary>
    private static readonly TimeSpan s_endPatience = TimeSpan.FromSeconds(5);

    private readonly Channel<Job> _waiting = Channel.CreateBounded<Job>(new BoundedChannelOptions(most));
    private readonly Lock _changing = new();
    private readonly List<Task> _threads = [];
    private int _late;
    private int _count;

    /// <summary>Nothing waits and nothing runs, but for what is late.</summary>
    public bool IsIdle => Volatile.Read(ref _count) == 0;

    /// <summary>How long a job may keep the others waiting; for ever by default.</summary>
    public TimeSpan Patience { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>Told what a job threw, which none should.</summary>
    public Action<Exception>? Surprised { get; init; }

    /// <summary>Adds a job; false when too many wait, or after the end.</summary>
    /// <param name="run">The job.</param>
    /// <param name="late">Told once when the patience is over.</param>
    public bool TryAdd(Action run, Action? late = null)
    {
        Interlocked.Increment(ref _count);
        if (!_waiting.Writer.TryWrite(new(run, late)))
        {
            Interlocked.Decrement(ref _count);
            return false;
        }

        lock (_changing)
        {
            if (_threads.Count == 0)
                StartThread();
        }

        return true;
    }

    /// <summary>Takes no more jobs, and waits for those that it has; not for ever for one that hangs.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        Task all;
        lock (_changing)
            all = Task.WhenAll(_threads);
        try
        {
            await all.WaitAsync(s_endPatience, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Its thread is one that does not keep the process.
        }
    }

    /// <summary>A thread of its own, because to block it is what it is for. Under the lock.</summary>
    private void StartThread()
    {
        _threads.RemoveAll(static t => t.IsCompleted);
        _threads.Add(Task.Factory.StartNew(
            Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
    }

    private void Run()
    {
        while (_waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (_waiting.Reader.TryRead(out var job))
            {
                if (!Do(job))
                    return;
            }
        }
    }

    /// <summary>False when the job was so late that another thread goes on.</summary>
    private bool Do(Job job)
    {
        using (Patience == Timeout.InfiniteTimeSpan ? null
            : time.CreateTimer(_ => IsLate(job), null, Patience, Timeout.InfiniteTimeSpan))
        {
            try
            {
                job.Run();
            }
#pragma warning disable CA1031 // The last border: whatever a job throws, the next ones are done.
            catch (Exception surprise)
#pragma warning restore CA1031
            {
                Surprised?.Invoke(surprise);
            }
        }

        lock (_changing)
        {
            job.Ended = true;
            if (!job.IsLate)
            {
                Interlocked.Decrement(ref _count);
                return true;
            }

            _late--;
            return false;
        }
    }

    private void IsLate(Job job)
    {
        lock (_changing)
        {
            if (job.Ended || _late == LateMax)
                return;
            _late++;
            job.IsLate = true;
            Interlocked.Decrement(ref _count);
            StartThread();
        }

        job.Late?.Invoke();
    }

    private sealed class Job(Action run, Action? late)
    {
        public Action Run => run;

        public Action? Late => late;

        public bool Ended { get; set; }

        public bool IsLate { get; set; }
    }
}

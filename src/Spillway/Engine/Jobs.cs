using System.Threading.Channels;

namespace Spillway.Engine;

/// <summary>
/// A thread for slow things, one after the other in the order in which they were asked for: loading, measuring.
/// Bounded.
/// Made with the first job.
/// </summary>
/// <param name="most">Jobs that may wait.</param>
internal sealed class Jobs(int most) : IAsyncDisposable
{
    private readonly Channel<Action> _waiting = Channel.CreateBounded<Action>(
        new BoundedChannelOptions(most) { SingleReader = true });
    private readonly Lock _starting = new();
    private Task? _thread;
    private int _count;

    /// <summary>Nothing waits and nothing runs.</summary>
    public bool IsIdle => Volatile.Read(ref _count) == 0;

    /// <summary>Adds a job, which must not throw; false when too many wait, or after the end.</summary>
    public bool TryAdd(Action job)
    {
        Interlocked.Increment(ref _count);
        if (!_waiting.Writer.TryWrite(job))
        {
            Interlocked.Decrement(ref _count);
            return false;
        }

        lock (_starting)
            _thread ??= Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
        return true;
    }

    /// <summary>Takes no more jobs, and waits for those that it has.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        if (_thread is { } thread)
            await thread.ConfigureAwait(false);
    }

    /// <summary>On a thread of its own: to block it is what it is for.</summary>
    private void Run()
    {
        while (_waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (_waiting.Reader.TryRead(out var job))
            {
                job();
                Interlocked.Decrement(ref _count);
            }
        }
    }
}

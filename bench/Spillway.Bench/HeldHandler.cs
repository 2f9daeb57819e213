using Microsoft.AspNetCore.Http;

namespace Spillway.Bench;

/// <summary>
/// The null handler where answers come in batches: requests wait until one thread, which is busy for a while for each
/// of them as a model would be, has had them in a batch. It decides nothing, parses nothing and counts nothing, so what
/// it costs beyond its busy time is what HTTP costs at that rate and in that rhythm.
/// </summary>
internal sealed class HeldHandler : IDisposable
{
    private const int GroupMax = 8;

    private static readonly TimeProvider s_time = TimeProvider.System;

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _some = new(0, 1);
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private readonly int _batch;
    private readonly long _busyTicks;
    private bool _running;

    /// <param name="batch">The largest batch.</param>
    /// <param name="busyMicroseconds">Time that the thread is busy for each request.</param>
    public HeldHandler(int batch, int busyMicroseconds)
    {
        (_batch, _busyTicks) = (batch, busyMicroseconds * s_time.TimestampFrequency / 1_000_000);
        new Thread(Drain) { IsBackground = true, Name = "held" }.Start();
    }

    /// <summary>Waits for its batch, then answers.</summary>
    public async Task AnswerAsync(HttpContext http, byte[] answer)
    {
        await NullHandler.ReadAsync(http);
        var mine = new TaskCompletionSource(); // Completed on a pool thread, where its reader goes on.
        lock (_lock)
        {
            _waiting.Enqueue(mine);
            if (!_running)
                _some.Release();
            _running = true;
        }

        await mine.Task;
        await NullHandler.WriteAsync(http, answer);
    }

    /// <inheritdoc/>
    public void Dispose() => _some.Dispose();

    private void Drain()
    {
        while (true)
        {
            _some.Wait();
            while (Take() is { Count: > 0 } batch)
            {
                var until = s_time.GetTimestamp() + (_busyTicks * batch.Count);
                while (s_time.GetTimestamp() < until)
                    Thread.SpinWait(20);
                foreach (var group in batch.Chunk(GroupMax))
                    ThreadPool.UnsafeQueueUserWorkItem(Complete, group, preferLocal: false);
            }
        }
    }

    private List<TaskCompletionSource> Take()
    {
        var batch = new List<TaskCompletionSource>(_batch);
        lock (_lock)
        {
            while (batch.Count < _batch && _waiting.TryDequeue(out var next))
                batch.Add(next);
            _running = batch.Count > 0;
        }

        return batch;
    }

    private static void Complete(TaskCompletionSource[] group)
    {
        foreach (var one in group)
            one.SetResult();
    }
}

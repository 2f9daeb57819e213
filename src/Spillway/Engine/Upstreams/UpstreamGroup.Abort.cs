namespace Spillway.Engine.Upstreams;

/// <content>Requests under way, which a kill switch may end.</content>
internal sealed partial class UpstreamGroup
{
    private readonly Lock _askingLock = new();
    private readonly Dictionary<Work, Asking> _asking = [];

    /// <summary>
    /// Asks until a target answers or another attempt is not worth it. Null: the work's outputs are there.
    /// </summary>
    /// <param name="work">With inputs of the signature.</param>
    /// <param name="deadline">When the answer is due.</param>
    /// <param name="hasNext">
    /// Whether somebody else answers when every target is left alone; else the first of them is waited for.
    /// </param>
    /// <param name="aborted">The caller is gone.</param>
    public async ValueTask<Fault?> InferAsync(Work work, Instant deadline, bool hasNext, CancellationToken aborted)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        lock (_askingLock)
            _asking.Add(work, new(stop));
        var why = (Fault?)null;
        Fault? fault;
        try
        {
            fault = await AttemptsAsync(work, deadline, hasNext, stop.Token).ConfigureAwait(false);
        }
        finally
        {
            lock (_askingLock)
            {
                if (_asking.Remove(work, out var asking))
                    why = asking.Why;
            }
        }

        return fault is null ? null : why ?? fault;
    }

    /// <summary>Ends the requests that are asked for, with that fault; how many that were.</summary>
    /// <param name="concerns">Whether a work is one of them; it is read while it is under way.</param>
    /// <param name="why">The fault.</param>
    public int Abort(Func<Work, bool> concerns, Fault why)
    {
        List<Asking> ended;
        lock (_askingLock)
        {
            ended = [.. _asking.Where(a => concerns(a.Key)).Select(a => a.Value)];
            foreach (var asking in ended)
                asking.Why ??= why;
        }

        // Outside the lock: whoever hears of it goes on here and now.
        foreach (var asking in ended)
            asking.End();
        return ended.Count;
    }

    /// <summary>A request under way.</summary>
    private sealed class Asking(CancellationTokenSource stop)
    {
        /// <summary>Why it was ended; null while it was not. Guarded by the lock.</summary>
        public Fault? Why { get; set; }

        public void End()
        {
            try
            {
                stop.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has just ended by itself.
            }
        }
    }
}

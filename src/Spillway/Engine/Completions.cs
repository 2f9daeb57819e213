using Microsoft.Extensions.ObjectPool;

namespace Spillway.Engine;

/// <summary>
/// Tells the readers of a batch that their answers are there. A reader then writes to its connection, which is not the
/// runner's work; and a pool item for each reader wakes a thread for each, which cost a batch of 16 more than its
/// writing. So readers go on in groups, one after the other on one pool thread. Pooled.
/// </summary>
internal sealed class Completions : IThreadPoolWorkItem
{
    /// <summary>
    /// Readers of one group: the last waits for the writing of the others, about 15 µs each, and a machine of many
    /// cores shares a large batch between some of them.
    /// </summary>
    private const int GroupMax = 8;

    private static readonly DefaultObjectPool<Completions> s_pool = new(new DefaultPooledObjectPolicy<Completions>(), maximumRetained: 256);

    private readonly Work[] _works = new Work[GroupMax];
    private int _count;
    private Fault? _fault;

    /// <summary>Completes the works of a run and lets go of them; leaves the span empty.</summary>
    /// <param name="works">At least one, no longer held by a slot.</param>
    /// <param name="fault">What befell the whole run; null when nothing did.</param>
    public static void Of(Span<Work> works, Fault? fault)
    {
        if (works.Length == 1)
        {
            Complete(works[0], fault, here: false);
            works[0] = null!;
            return;
        }

        for (; !works.IsEmpty; works = works[Math.Min(GroupMax, works.Length)..])
        {
            var group = s_pool.Get();
            var some = works[..Math.Min(GroupMax, works.Length)];
            some.CopyTo(group._works);
            (group._count, group._fault) = (some.Length, fault);
            some.Clear();
            ThreadPool.UnsafeQueueUserWorkItem(group, preferLocal: false);
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        for (var i = 0; i < _count; i++)
            Complete(_works[i], _fault, here: true);
        Array.Clear(_works);
        _fault = null;
        s_pool.Return(this);
    }

    private static void Complete(Work work, Fault? fault, bool here)
    {
        // Complete answers false for one that was given up meanwhile; its outputs go back with it.
        if ((fault ?? work.OutputFault) is { } failed)
            work.Answer.Complete(failed, here);
        else if (work.Answer.TryWrite(new(work.Outputs, new(work.Claim.Rows, work.Claim.Elements), Last: true), here))
            work.Answer.Complete(null);
        work.Release();
    }
}

using System.Numerics;

namespace Spillway.Transforms.Text;

/// <summary>
/// The indexes of the largest values, largest first, equal values by lower index. Pure; allocates nothing. A heap of
/// the best so far: time grows with values x log k, whatever their order.
/// </summary>
internal static class BestIndexes
{
    /// <summary>Fills best, which is from 1 to as long as the values. None of the values is NaN.</summary>
    public static void Select<T>(ReadOnlySpan<T> values, Span<int> best)
        where T : IComparisonOperators<T, T, bool>
    {
        ArgumentOutOfRangeException.ThrowIfZero(best.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(best.Length, values.Length);
        for (var i = 0; i < best.Length; i++)
            best[i] = i;
        for (var i = (best.Length / 2) - 1; i >= 0; i--)
            Sink(values, best, i);
        var least = values[best[0]];
        for (var i = best.Length; i < values.Length; i++)
        {
            // Strictly: an equal value further on never displaces one before it.
            if (values[i] <= least)
                continue;
            best[0] = i;
            Sink(values, best, 0);
            least = values[best[0]];
        }

        Sort(values, best);
    }

    /// <summary>Restores the heap below a place; its root is the worst of the best.</summary>
    private static void Sink<T>(ReadOnlySpan<T> values, Span<int> heap, int at)
        where T : IComparisonOperators<T, T, bool>
    {
        for (var child = (at * 2) + 1; child < heap.Length; child = (at * 2) + 1)
        {
            if (child + 1 < heap.Length && IsWorse(values, heap[child + 1], heap[child]))
                child++;
            if (!IsWorse(values, heap[child], heap[at]))
                return;
            (heap[at], heap[child]) = (heap[child], heap[at]);
            at = child;
        }
    }

    /// <summary>Takes the worst off the heap to its end, until the best is in front.</summary>
    private static void Sort<T>(ReadOnlySpan<T> values, Span<int> heap)
        where T : IComparisonOperators<T, T, bool>
    {
        for (var last = heap.Length - 1; last > 0; last--)
        {
            (heap[0], heap[last]) = (heap[last], heap[0]);
            Sink(values, heap[..last], 0);
        }
    }

    private static bool IsWorse<T>(ReadOnlySpan<T> values, int left, int right)
        where T : IComparisonOperators<T, T, bool> =>
        values[left] < values[right] || (values[left] == values[right] && left > right);
}

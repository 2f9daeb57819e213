namespace Spillway.Policies.Measuring;

/// <summary>
/// How often something happened lately, in a ring of equal parts of time. Pure, one owner; allocates only when made. A
/// clock never goes back; an instant before the newest one counts into the newest part.
/// </summary>
internal sealed class SlidingCount
{
    /// <summary>Parts of the span; the count forgets in steps of a tenth.</summary>
    public const int Parts = 10;

    // One part more than the span has: the newest is not over yet, so eleven hold at least the whole span.
    private readonly int[] _cells = new int[Parts + 1];
    private readonly long _partTicks;
    private long _newest = long.MinValue;

    /// <summary>Nothing happened yet.</summary>
    /// <param name="span">What counts as lately; above zero.</param>
    public SlidingCount(TimeSpan span)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(span, TimeSpan.Zero);
        _partTicks = Math.Max(1, span.Ticks / Parts);
    }

    /// <summary>It happened.</summary>
    public void Add(Instant now)
    {
        Roll(now);
        _cells[CellOf(_newest)]++;
    }

    /// <summary>How often within the span, at most: what is counted happened no longer ago than the span.</summary>
    public int Within(Instant now)
    {
        Roll(now);
        return Sum() - _cells[CellOf(_newest - Parts)];
    }

    /// <summary>
    /// How often within the span, at least: nothing of the span is left out, up to a tenth more is in.
    /// </summary>
    public int WithinAtLeast(Instant now)
    {
        Roll(now);
        return Sum();
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => Array.Clear(_cells);

    private void Roll(Instant now)
    {
        var part = Math.DivRem(now.Ticks, _partTicks).Quotient;
        if (part <= _newest)
            return;
        if (_newest == long.MinValue || part - _newest > Parts)
            Clear();
        else
        {
            for (var passed = _newest + 1; passed <= part; passed++)
                _cells[CellOf(passed)] = 0;
        }

        _newest = part;
    }

    private int Sum()
    {
        var sum = 0;
        foreach (var cell in _cells)
            sum += cell;
        return sum;
    }

    private static int CellOf(long part) => (int)(((part % (Parts + 1)) + Parts + 1) % (Parts + 1));
}

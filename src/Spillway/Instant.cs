namespace Spillway;

/// <summary>
/// A point on one monotonic clock, in ticks of 100 ns from an arbitrary origin. Differences are
/// <see cref="TimeSpan"/> in the same unit, so sums of stages are exact. Live code gets it from the Engine's clock,
/// the Planner from its virtual one; it never means a calendar date.
/// </summary>
/// <param name="Ticks">Ticks of 100 ns since the clock's origin.</param>
public readonly record struct Instant(long Ticks) : IComparable<Instant>
{
    /// <summary>Later than every instant that a clock will show: "never".</summary>
    public static Instant Never => new(long.MaxValue);

    /// <summary>Moves forward; stays at <see cref="Never"/> rather than overflow.</summary>
    public static Instant operator +(Instant at, TimeSpan by) =>
        by.Ticks > 0 && at.Ticks > long.MaxValue - by.Ticks ? Never : new(at.Ticks + by.Ticks);

    /// <summary>Moves back.</summary>
    public static Instant operator -(Instant at, TimeSpan by) => at == Never ? Never : new(at.Ticks - by.Ticks);

    /// <summary>The time from <paramref name="from"/> to <paramref name="to"/>; negative when reversed.</summary>
    public static TimeSpan operator -(Instant to, Instant from) => new(to.Ticks - from.Ticks);

    /// <summary>Earlier than.</summary>
    public static bool operator <(Instant a, Instant b) => a.Ticks < b.Ticks;

    /// <summary>Later than.</summary>
    public static bool operator >(Instant a, Instant b) => a.Ticks > b.Ticks;

    /// <summary>Not later than.</summary>
    public static bool operator <=(Instant a, Instant b) => a.Ticks <= b.Ticks;

    /// <summary>Not earlier than.</summary>
    public static bool operator >=(Instant a, Instant b) => a.Ticks >= b.Ticks;

    /// <summary>The earlier of two.</summary>
    public static Instant Earlier(Instant a, Instant b) => a.Ticks < b.Ticks ? a : b;

    /// <inheritdoc/>
    public int CompareTo(Instant other) => Ticks.CompareTo(other.Ticks);
}

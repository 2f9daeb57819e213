namespace Spillway.Policies.Pricing;

/// <summary>
/// Values that each hold from a day on until the next begins. Immutable. A clock that shows a day before the first
/// gets the first: whoever starts a server is told that no value holds yet, and a clock that jumps back later must not
/// make work free.
/// </summary>
/// <typeparam name="T">What is dated.</typeparam>
public sealed class Dated<T>
{
    private readonly DateOnly[] _days;
    private readonly long[] _from;
    private readonly T[] _values;

    /// <summary>Takes at least one value; days ascend strictly.</summary>
    public Dated(IReadOnlyList<(DateOnly From, T Value)> values)
    {
        ArgumentOutOfRangeException.ThrowIfZero(values.Count);
        _days = [.. values.Select(v => v.From)];
        _from = [.. _days.Select(d => d.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc).Ticks)];
        _values = [.. values.Select(v => v.Value)];
        for (var i = 1; i < _from.Length; i++)
        {
            if (_from[i] <= _from[i - 1])
                throw new ArgumentException("The days must ascend.", nameof(values));
        }
    }

    /// <summary>The days on which a value begins, ascending.</summary>
    public IReadOnlyList<DateOnly> Days => _days;

    /// <summary>What holds at that time, in UTC. 0 B.</summary>
    public T At(DateTimeOffset time)
    {
        var ticks = time.UtcTicks;
        var i = _from.Length - 1;
        while (i > 0 && _from[i] > ticks)
            i--;
        return _values[i];
    }

    /// <summary>What holds on that day.</summary>
    public T On(DateOnly day) => At(new(day, TimeOnly.MinValue, TimeSpan.Zero));

    /// <summary>The same days with other values.</summary>
    public Dated<TOther> Select<TOther>(Func<T, TOther> of) => new([.. _days.Zip(_values, (d, v) => (d, of(v)))]);
}

/// <summary>Makes dated values.</summary>
public static class Dated
{
    /// <summary>One value that holds on every day.</summary>
    public static Dated<T> Always<T>(T value) => new([(DateOnly.MinValue, value)]);

    /// <summary>One series of what follows from two, with a step wherever one of them has one.</summary>
    public static Dated<T> Join<TA, TB, T>(Dated<TA> a, Dated<TB> b, Func<TA, TB, T> of) =>
        new([.. a.Days.Concat(b.Days).Distinct().Order().Select(day => (day, of(a.On(day), b.On(day))))]);
}

namespace Spillway.Policies.Retry;

/// <summary>How long to wait before another attempt.</summary>
/// <remarks>
/// "Full jitter" of M. Brooker, "Exponential backoff and jitter" (AWS Architecture Blog, 2015): random between 0 and
/// min(cap, base * 2^n), because spreading callers out matters more than any single wait.
/// </remarks>
internal static class Backoff
{
    /// <summary>
    /// A random wait. Never shorter than <paramref name="atLeast"/>, which is spread out as well: all who were told the
    /// same second would otherwise come back in the same millisecond. Never longer than <paramref name="room"/>; where
    /// even the lower bound does not fit, <see cref="TimeSpan.MaxValue"/>.
    /// </summary>
    /// <param name="first">The bound for the first wait; above zero.</param>
    /// <param name="cap">The largest bound.</param>
    /// <param name="attempt">Attempts that were made; at least 1.</param>
    /// <param name="atLeast">What the other side asked for; zero for nothing.</param>
    /// <param name="room">Until which the next attempt must begin; may be negative.</param>
    /// <param name="random">The jitter.</param>
    public static TimeSpan Next(
        TimeSpan first, TimeSpan cap, int attempt, TimeSpan atLeast, TimeSpan room, Random random)
    {
        if (atLeast > room || room < TimeSpan.Zero)
            return TimeSpan.MaxValue;
        // Beyond 2^40 every cap is long reached, and the shift stays inside 64 bits.
        var bound = Math.Min(cap.Ticks, first.Ticks * Math.Pow(2, Math.Clamp(attempt - 1, 0, 40)));
        bound = Math.Min(bound, (room - atLeast).Ticks);
        return atLeast + new TimeSpan((long)(random.NextDouble() * bound));
    }
}

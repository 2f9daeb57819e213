namespace Spillway.App.Load.Search;

/// <summary>
/// Requests by the time at which they were due, and how many of each time were answered ok within each bound. A
/// request that is still in the air says nothing before the bound has passed, so a look into a running step counts only
/// those that were due longer ago than that: all of them are decided, the lost ones too. Offers come from one thread,
/// answers from another: counters are interlocked.
/// </summary>
/// <param name="boundsNs">The bounds, in nanoseconds from the scheduled send.</param>
/// <param name="seconds">How long the step lasts at most.</param>
internal sealed class Cohorts(long[] boundsNs, double seconds)
{
    private const int Buckets = 2000;

    private readonly long _widthNs = Math.Max(1, (long)(seconds * LoadClock.PerSecond / Buckets));
    private readonly long[] _offered = new long[Buckets];
    private readonly long[][] _inside = [.. boundsNs.Select(_ => new long[Buckets])];
    private long _origin;

    /// <summary>The instant from which requests are measured.</summary>
    public void Begin(long origin) => _origin = origin;

    public void Offer(long scheduled) => Interlocked.Increment(ref _offered[BucketOf(scheduled)]);

    public void Answer(long scheduled, long latency)
    {
        for (var i = 0; i < boundsNs.Length; i++)
        {
            if (latency <= boundsNs[i])
                Interlocked.Increment(ref _inside[i][BucketOf(scheduled)]);
        }
    }

    /// <summary>
    /// Requests inside and over a bound, among those that were due before the bound's length ago.
    /// <paramref name="sinceBegin"/> is now; <see cref="long.MaxValue"/> counts all.
    /// </summary>
    public (long Inside, long Over) Decided(int bound, long sinceBegin)
    {
        var until = sinceBegin == long.MaxValue ? Buckets
            : (int)Math.Clamp((sinceBegin - boundsNs[bound]) / _widthNs, 0, Buckets);
        var (offered, inside) = (0L, 0L);
        for (var i = 0; i < until; i++)
        {
            offered += Volatile.Read(ref _offered[i]);
            inside += Volatile.Read(ref _inside[bound][i]);
        }

        return (inside, offered - inside);
    }

    private int BucketOf(long scheduled) => (int)Math.Clamp((scheduled - _origin) / _widthNs, 0, Buckets - 1);
}

namespace Spillway.Policies.Scaling;

/// <summary>
/// The wishes of a while, to take the highest or lowest of them: what Kubernetes calls stabilisation. Forgets what is
/// older than its window; holds at most <see cref="Max"/>, the oldest go first.
/// </summary>
/// <param name="window">How long a wish counts; zero for the newest only.</param>
internal sealed class RecentWishes(TimeSpan window)
{
    /// <summary>An hour of a wish each second.</summary>
    public const int Max = 3600;

    private readonly Queue<(Instant At, int Replicas)> _wishes = new();

    /// <summary>Remembers a wish.</summary>
    public void Add(int replicas, Instant now)
    {
        Forget(now);
        if (_wishes.Count == Max)
            _wishes.Dequeue();
        _wishes.Enqueue((now, replicas));
    }

    /// <summary>The highest wish of the window; <paramref name="otherwise"/> where there is none.</summary>
    public int Highest(Instant now, int otherwise)
    {
        Forget(now);
        var highest = otherwise;
        foreach (var (_, replicas) in _wishes)
            highest = Math.Max(highest, replicas);
        return highest;
    }

    /// <summary>The lowest wish of the window; <paramref name="otherwise"/> where there is none.</summary>
    public int Lowest(Instant now, int otherwise)
    {
        Forget(now);
        var lowest = otherwise;
        foreach (var (_, replicas) in _wishes)
            lowest = Math.Min(lowest, replicas);
        return lowest;
    }

    private void Forget(Instant now)
    {
        while (_wishes.TryPeek(out var oldest) && now - oldest.At > window)
            _wishes.Dequeue();
    }
}

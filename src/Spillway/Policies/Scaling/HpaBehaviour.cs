namespace Spillway.Policies.Scaling;

/// <summary>
/// How fast the horizontal pod autoscaler lets the number of replicas follow its calculator: stabilisation windows,
/// then policies of how much may change in a period. Keeps what changed.
/// </summary>
/// <remarks>kubernetes/kubernetes, pkg/controller/podautoscaler/horizontal.go.</remarks>
/// <param name="up">How it grows.</param>
/// <param name="down">How it shrinks.</param>
internal sealed class HpaBehaviour(HpaDirectionOptions up, HpaDirectionOptions down)
{
    private readonly RecentWishes _upWishes = new(TimeSpan.FromMilliseconds(up.StabilisationMs));
    private readonly RecentWishes _downWishes = new(TimeSpan.FromMilliseconds(down.StabilisationMs));
    private readonly Queue<(Instant At, int By)> _changes = new();
    private readonly TimeSpan _longest = TimeSpan.FromMilliseconds(
        up.Policies.Concat(down.Policies).Select(p => p.PeriodMs).DefaultIfEmpty(0).Max());

    /// <summary>The wish after the stabilisation windows; remembers it.</summary>
    public int Stabilise(int current, int wish, Instant now)
    {
        var (lowest, highest) = (_upWishes.Lowest(now, wish), _downWishes.Highest(now, wish));
        _upWishes.Add(wish, now);
        _downWishes.Add(wish, now);
        return Math.Min(Math.Max(current, lowest), highest);
    }

    /// <summary>The wish within what may change; remembers the change.</summary>
    public int Limit(int current, int wish, Instant now)
    {
        while (_changes.TryPeek(out var oldest) && now - oldest.At >= _longest)
            _changes.Dequeue();
        var allowed = wish > current ? Math.Min(wish, Ceiling(current, now))
            : wish < current ? Math.Max(wish, Floor(current, now)) : wish;
        if (allowed != current)
            _changes.Enqueue((now, allowed - current));
        return allowed;
    }

    /// <summary>The most replicas that the policies allow at present.</summary>
    public int Ceiling(int current, Instant now)
    {
        if (up.SelectPolicy == "disabled")
            return current;
        var limits = up.Policies.Select(policy =>
        {
            var begin = Before(policy, current, now);
            return policy.Type == "pods"
                ? begin + policy.Value : (int)Math.Ceiling(begin * (1 + (policy.Value / 100.0)));
        });
        return Math.Max(current, up.SelectPolicy == "min" ? limits.Min() : limits.Max());
    }

    /// <summary>The fewest replicas that the policies allow at present.</summary>
    public int Floor(int current, Instant now)
    {
        if (down.SelectPolicy == "disabled")
            return current;
        var limits = down.Policies.Select(policy =>
        {
            var begin = Before(policy, current, now);
            return policy.Type == "pods" ? begin - policy.Value : (int)(begin * (1 - (policy.Value / 100.0)));
        });
        return Math.Min(current, Math.Max(0, down.SelectPolicy == "min" ? limits.Max() : limits.Min()));
    }

    private int Before(HpaRateOptions policy, int current, Instant now)
    {
        var period = TimeSpan.FromMilliseconds(policy.PeriodMs);
        return current - _changes.Where(change => now - change.At < period).Sum(change => change.By);
    }
}

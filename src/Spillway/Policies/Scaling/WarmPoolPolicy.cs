namespace Spillway.Policies.Scaling;

/// <summary>
/// What a reactive policy wants, and never fewer than cover the demand that may come while a new replica would start:
/// the quantile of demand in the lead time where a missing replica costs as much as an idle one.
/// </summary>
/// <param name="options">Costs.</param>
/// <param name="reactive">Decides above the pool.</param>
internal sealed class WarmPoolPolicy(WarmPoolOptions options, IScalingPolicy reactive) : IScalingPolicy
{
    private readonly Queue<(Instant At, double Requests, double Seconds)> _counts = new();
    private readonly TimeSpan _lookBack = TimeSpan.FromMilliseconds(options.LookBackMs);
    private Instant _last = Instant.Never;
    private double _perReplica;

    /// <inheritdoc/>
    public string Name => ScalingCatalogue.WarmPool;

    /// <inheritdoc/>
    public TimeSpan Every => reactive.Every;

    /// <inheritdoc/>
    public ScalingDecision Decide(in ScalingObservation seen, Instant now)
    {
        var wish = reactive.Decide(seen, now);
        Learn(seen, now);
        if (_perReplica <= 0 || _counts.Count < 2 || seen.LeadTime <= TimeSpan.Zero)
            return wish.Also(wish.Replicas, $"nothing known yet about a pool");
        var (rate, dispersion) = Demand();
        var lead = seen.LeadTime.TotalSeconds;
        var quantile = Newsvendor.Quantile(options.MissingCost, options.IdleCost);
        var demand = Newsvendor.Demand(rate * lead, dispersion, quantile);
        var pool = Newsvendor.Replicas(demand, there: 0, each: _perReplica * lead);
        return pool > wish.Replicas
            ? ScalingDecision.Of(pool, $"{demand:0} requests may come in the {lead:0.#} s that a replica needs ({
                quantile:P0} of cases): {pool} warm; {reactive.Name} would want {wish.Replicas}")
            : wish.Also(wish.Replicas, $"a pool of {pool} would do");
    }

    private void Learn(in ScalingObservation seen, Instant now)
    {
        if (seen.ReplicaPerSecond > 0)
            _perReplica = seen.ReplicaPerSecond;
        var seconds = _last == Instant.Never ? 0 : (now - _last).TotalSeconds;
        _last = now;
        if (seconds <= 0 || double.IsNaN(seen.RatePerSecond))
            return;
        _counts.Enqueue((now, seen.RatePerSecond * seconds, seconds));
        while (now - _counts.Peek().At > _lookBack)
            _counts.Dequeue();
    }

    // The variance of the counts around what the mean rate would have given, by the mean count.
    private (double Rate, double Dispersion) Demand()
    {
        var rate = _counts.Sum(c => c.Requests) / _counts.Sum(c => c.Seconds);
        if (rate <= 0)
            return (0, 1);
        var dispersion = _counts.Average(c => Math.Pow(c.Requests - (rate * c.Seconds), 2) / (rate * c.Seconds))
            * _counts.Count / (_counts.Count - 1);
        return (rate, Math.Max(1, dispersion));
    }
}

namespace Spillway.Policies.Scaling;

/// <summary>
/// As many replicas as keep the busy part, or the requests of each, at a target. Out at once, in only when fewer
/// sufficed for a while. What is starting counts as there: the same load is not answered twice.
/// </summary>
internal sealed class TargetPolicy : IScalingPolicy
{
    private readonly TargetOptions _options;
    private readonly RecentWishes _wishes;
    private readonly bool _byQueue;

    /// <summary>Has seen nothing.</summary>
    /// <param name="options">The targets.</param>
    /// <param name="byQueue">True for requests of each replica, false for the busy part.</param>
    public TargetPolicy(TargetOptions options, bool byQueue)
    {
        (_options, _byQueue) = (options, byQueue);
        _wishes = new(TimeSpan.FromMilliseconds(options.ScaleInAfterMs));
    }

    /// <inheritdoc/>
    public string Name => _byQueue ? ScalingCatalogue.Queue : ScalingCatalogue.Utilisation;

    /// <inheritdoc/>
    public TimeSpan Every => TimeSpan.FromMilliseconds(_options.EveryMs);

    /// <inheritdoc/>
    public ScalingDecision Decide(in ScalingObservation seen, Instant now)
    {
        // Work is in units of one replica that is exactly at its target.
        var work = _byQueue
            ? seen.Ongoing / _options.OngoingPerReplica : seen.Ready * seen.Utilisation / _options.Utilisation;
        if (double.IsNaN(work))
            return ScalingDecision.Of(seen.Wanted, $"nothing was measured, so it stays at {seen.Wanted}");
        var near = seen.Wanted > 0 && Math.Abs(1 - (work / seen.Wanted)) <= _options.Tolerance;
        var wish = near ? seen.Wanted : (int)Math.Ceiling(Math.Min(work, int.MaxValue / 2));
        _wishes.Add(wish, now);
        // While replicas start, the ones that are ready look busier than all will be, so growth may repeat; it ends
        // because the figure saturates: utilisation at 1, the queue at what really waits.
        if (wish >= seen.Wanted)
            return Say(seen, wish, near ? "near enough" : "more");
        var held = Math.Min(seen.Wanted, _wishes.Highest(now, wish));
        return Say(seen, held, held == wish ? "fewer sufficed long enough" : "fewer did not suffice long enough");
    }

    private ScalingDecision Say(in ScalingObservation seen, int wish, string why) => _byQueue
        ? ScalingDecision.Of(wish, $"{seen.Ongoing:0.#} requests of {_options.OngoingPerReplica:0.##} a replica: {why}")
        : ScalingDecision.Of(wish,
            $"{seen.Ready} ready at {seen.Utilisation:0.00} of {_options.Utilisation:0.00} busy: {why}");
}

using System.Globalization;

namespace Spillway.Policies.Scaling;

/// <summary>Scales as Kubernetes' horizontal pod autoscaler does, unready and silent pods included.</summary>
/// <param name="options">The metrics and the behaviour.</param>
internal sealed class HpaPolicy(HpaOptions options) : IScalingPolicy
{
    private readonly HpaBehaviour _behaviour = new(options.ScaleUp, options.ScaleDown);

    /// <inheritdoc/>
    public string Name => ScalingCatalogue.Hpa;

    /// <inheritdoc/>
    public TimeSpan Every => TimeSpan.FromMilliseconds(options.EveryMs);

    /// <inheritdoc/>
    public ScalingDecision Decide(in ScalingObservation seen, Instant now)
    {
        var wishes = new int?[options.Metrics.Count];
        for (var at = 0; at < wishes.Length; at++)
            wishes[at] = Wish(options.Metrics[at], seen);
        var raw = HpaRule.Of(wishes, seen.Wanted);
        var stable = _behaviour.Stabilise(seen.Wanted, raw, now);
        var allowed = _behaviour.Limit(seen.Wanted, stable, now);
        var why = allowed != stable ? "; as much as may change in a period"
            : stable != raw ? "; the stabilisation window holds it" : "";
        return new(allowed, Describe(seen, raw) + why);
    }

    private static double MeanOf(string metric, in ScalingObservation seen)
    {
        var each = Math.Max(1, seen.Ready);
        return metric switch
        {
            "ongoing" => seen.Ongoing / each,
            "queue" => seen.Queued / each,
            "rate" => seen.RatePerSecond / each,
            _ => seen.Utilisation,
        };
    }

    private int? Wish(HpaMetricOptions metric, in ScalingObservation seen)
    {
        var mean = MeanOf(metric.Metric, seen);
        if (double.IsNaN(mean))
            return null;
        // A deployment that is being enlarged has fewer pods than replicas; those that are ordered are unready.
        var pods = new HpaPods(seen.Wanted, Math.Max(0, seen.Ready - seen.Silent), seen.Starting, seen.Silent);
        return HpaRule.Replicas(pods, mean, metric.Target, options.Tolerance);
    }

    private string Describe(in ScalingObservation seen, int raw)
    {
        var observed = seen;
        var metrics = options.Metrics.Select(metric => string.Create(CultureInfo.InvariantCulture,
            $"{metric.Metric} {MeanOf(metric.Metric, observed):0.###} of {metric.Target:0.###}"));
        return string.Create(CultureInfo.InvariantCulture,
            $"{string.Join(", ", metrics)} over {seen.Ready} ready asks for {raw}");
    }
}

namespace Spillway.Policies.Scaling;

/// <summary>What the horizontal pod autoscaler knows of the pods when it looks at a metric.</summary>
/// <param name="Current">Replicas of the scaled object.</param>
/// <param name="Ready">Ready pods that gave the metric.</param>
/// <param name="Unready">Pods that are not ready.</param>
/// <param name="Missing">Ready pods that gave no metric.</param>
internal readonly record struct HpaPods(int Current, int Ready, int Unready = 0, int Missing = 0);

/// <summary>
/// The replica calculator of Kubernetes' horizontal pod autoscaler, for a metric that is a mean over pods. Pure.
/// </summary>
/// <remarks>kubernetes/kubernetes, pkg/controller/podautoscaler/replica_calculator.go.</remarks>
internal static class HpaRule
{
    /// <summary>The number of replicas that a metric asks for.</summary>
    /// <param name="pods">The pods.</param>
    /// <param name="mean">The metric's mean over the ready pods that gave it.</param>
    /// <param name="target">What it should be; above zero.</param>
    /// <param name="tolerance">What is near enough, as a part.</param>
    public static int Replicas(in HpaPods pods, double mean, double target, double tolerance)
    {
        if (pods.Current == 0)
            return (int)Math.Ceiling(mean / target);
        if (pods.Ready == 0)
            return pods.Current;
        var ratio = mean / target;
        var countsUnready = pods.Unready > 0 && ratio > 1;
        if (!countsUnready && pods.Missing == 0)
            return IsNear(ratio, tolerance) ? pods.Current : (int)Math.Ceiling(ratio * pods.Ready);
        return WithAssumptions(pods, ratio, countsUnready, tolerance);
    }

    /// <summary>
    /// The number for a metric that is one value for all pods: a queue's length against what each pod should have of
    /// it.
    /// </summary>
    /// <param name="current">Replicas at present.</param>
    /// <param name="total">The value.</param>
    /// <param name="targetEach">What each pod should have; above zero.</param>
    /// <param name="tolerance">What is near enough, as a part.</param>
    public static int ForTotal(int current, double total, double targetEach, double tolerance) =>
        current > 0 && IsNear(total / (targetEach * current), tolerance)
            ? current : (int)Math.Ceiling(total / targetEach);

    /// <summary>
    /// The number of several metrics: the most. A metric that failed, null, forbids fewer than there are.
    /// </summary>
    public static int Of(ReadOnlySpan<int?> wishes, int current)
    {
        var (most, failed) = (-1, false);
        foreach (var wish in wishes)
        {
            failed |= wish is null;
            most = Math.Max(most, wish ?? -1);
        }

        return most < 0 || (failed && most < current) ? current : most;
    }

    // Pods that say nothing are assumed to be at their target when there would be fewer and idle when there would be
    // more; what is not ready yet is idle. An assumption that turns the direction round keeps what there is.
    private static int WithAssumptions(in HpaPods pods, double ratio, bool countsUnready, double tolerance)
    {
        var missing = ratio < 1 ? pods.Missing : 0;
        var counted = pods.Ready + pods.Missing + (countsUnready ? pods.Unready : 0);
        var assumed = ((ratio * pods.Ready) + missing) / counted;
        if (IsNear(assumed, tolerance) || (ratio < 1 && assumed > 1) || (ratio > 1 && assumed < 1))
            return pods.Current;
        var wish = (int)Math.Ceiling(assumed * counted);
        return (assumed < 1 && wish > pods.Current) || (assumed > 1 && wish < pods.Current) ? pods.Current : wish;
    }

    // 1.1 is not near 1 with a tolerance of 0.1: |1 - 1.1| is 0.10000000000000009, as in the original.
    private static bool IsNear(double ratio, double tolerance) => Math.Abs(1 - ratio) <= tolerance;
}

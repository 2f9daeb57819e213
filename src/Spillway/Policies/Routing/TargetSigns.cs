namespace Spillway.Policies.Routing;

/// <summary>What the end of a call says about the target that was called. Pure.</summary>
internal static class TargetSigns
{
    /// <summary>A target that had less time than this may be well, whatever its caller says.</summary>
    private static readonly TimeSpan s_ample = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// A deadline that came, or a caller that left, says something about the target when the target had ample time;
    /// else a caller in a hurry could have it left alone.
    /// </summary>
    /// <param name="kind">How the call ended; null for an answer.</param>
    /// <param name="target">The target.</param>
    /// <param name="took">How long it had.</param>
    /// <param name="now">The present.</param>
    /// <param name="tellsOnLeaving">
    /// Whether a caller who leaves says something: not where answers are streams, which are left while they are read.
    /// </param>
    public static FaultKind? Of(
        FaultKind? kind, Target target, TimeSpan took, Instant now, bool tellsOnLeaving = true)
    {
        var isLong = took >= s_ample && took.Ticks >= 3 * target.LatencyAt(now);
        return isLong && (kind is FaultKind.DeadlineExceeded || (kind is FaultKind.Cancelled && tellsOnLeaving && target.IsKnown))
            ? FaultKind.UpstreamTimeout : kind;
    }
}

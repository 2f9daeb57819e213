using Spillway.Engine.Guards;
using Spillway.Policies.Caching;
using Spillway.Policies.Rollout;
using Spillway.Telemetry;

namespace Spillway.Engine.Routes;

/// <summary>How a request went through a route, into its record.</summary>
internal static class RouteExplanation
{
    /// <summary>From the gate to the step that answered, or to the last that did not.</summary>
    public static void Write(ref RequestRecord record, Work work, RoutePlan plan)
    {
        var trail = work.Trail!;
        record.Steps = trail.Version?.Names ?? plan.Names;
        (record.Rows, record.Elements) = (work.Claim.Rows, work.Claim.Elements);
        Origin(ref record, work);
        record.Decide(DecisionKind.GatePassed);
        if (work.Request.Timeout is { } time)
        {
            record.Decide(
                trail.OwnDeadline ? DecisionKind.DeadlineOfRoute : DecisionKind.DeadlineExplicit,
                (trail.OwnDeadline ? work.Timeline.Started + time - RouteRunner.BeganOf(work) : time).Ticks);
        }

        Rollout(ref record, trail, plan);
        Cache(ref record, trail);
        GuardExplanation.Passed(ref record, work);
        record.Notes = trail.Notes;
        Steps(ref record, trail, plan);
    }

    /// <summary>The model whose answer it is, now or when it was remembered; none for a message.</summary>
    private static void Origin(ref RequestRecord record, Work work)
    {
        if (work.Origin is not { } origin)
            return;
        record.Deployment = origin.Deployment;
        (record.ModelDigest, record.SignedBy) = (origin.Digest, origin.SignedBy);
        if (origin.Version.Length > 0)
            record.Version = origin.Version;
    }

    private static void Steps(ref RequestRecord record, RouteTrail trail, RoutePlan plan)
    {
        if (trail.Notes.Count > 0)
            record.Decide(DecisionKind.UpstreamAsked, trail.Notes.Count);
        if (trail.Avoided is { } wait)
            record.Decide(DecisionKind.StepAvoided, wait.Ticks, trail.AvoidedBound.Ticks);
        foreach (var (step, why) in trail.Left)
            record.Decide(DecisionKind.StepLeft, step, (long)why);
        if (trail.Step >= 0 && record.Outcome is null)
            record.Decide(DecisionKind.StepTaken, trail.Step, plan.Count);
    }

    private static void Rollout(ref RequestRecord record, RouteTrail trail, RoutePlan plan)
    {
        if (trail.Rollout is not { } route)
            return;
        var (side, copies, bucket, percent) = route.Decision;
        if (percent > 0)
            record.Decide(
                DecisionKind.RolledOut, side is RolloutSide.Challenger ? 1 : 0, (long)Math.Round(percent * 100),
                copies ? -1 - bucket : bucket);
        else if (route.Version != plan.Memory[0].Model)
            record.Decide(DecisionKind.Promoted);
    }

    private static void Cache(ref RequestRecord record, RouteTrail trail)
    {
        var (step, reason) = (trail.Cache.Step, trail.Cache.Reason);
        switch (step)
        {
            case CacheStep.Hit:
                record.Decide(DecisionKind.CacheHit, trail.Cache.Age.Ticks);
                break;
            case CacheStep.Stale:
                record.Decide(DecisionKind.CacheStale, trail.Cache.Age.Ticks, reason is CacheReason.AfterError ? 1 : 0);
                break;
            case CacheStep.Miss:
                record.Decide(DecisionKind.CacheMissed, reason is CacheReason.Expired ? 1 : 0);
                break;
            case CacheStep.Join:
                record.Decide(DecisionKind.CacheJoined, trail.Joined ? 1 : 0);
                break;
            case CacheStep.Refresh:
                record.Decide(DecisionKind.CacheNotAsked, 1);
                break;
            case CacheStep.Bypass:
                Bypassed(ref record, trail.HasCache, reason);
                break;
        }
    }

    private static void Bypassed(ref RequestRecord record, bool hasCache, CacheReason reason)
    {
        if (!hasCache)
            record.Decide(DecisionKind.CacheBypassed);
        else if (reason is CacheReason.Asked)
            record.Decide(DecisionKind.CacheNotAsked);
        else
            record.Decide(DecisionKind.CachePassed, reason switch
            {
                CacheReason.TooLarge => 1, CacheReason.NoRoom => 2, CacheReason.TooManyJoin => 3, _ => 0,
            });
    }
}

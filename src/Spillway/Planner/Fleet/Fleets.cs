using Spillway.Planner.Plans;
using Spillway.Policies.Scaling;

namespace Spillway.Planner.Fleet;

/// <summary>What a candidate's sites have together.</summary>
internal static class Fleets
{
    /// <summary>
    /// Requests of mean size a second with all replicas that its sites may have; null where something has no bound.
    /// </summary>
    public static double? Capacity(Plan plan, CandidateOptions candidate)
    {
        var sum = 0.0;
        foreach (var name in candidate.Sites.Keys)
        {
            if (CapacityAt(plan, candidate, name) is not { } own)
                return null;
            sum += own;
        }

        return sum;
    }

    /// <summary>The same of one site.</summary>
    public static double? CapacityAt(Plan plan, CandidateOptions candidate, string name)
    {
        // A pipeline answers what its narrowest step does; one that a request passes twice has half of its capacity.
        if (Pipelines.IsOne(plan, candidate))
        {
            var steps = Pipelines.Steps(plan, candidate);
            return Pipelines.Parts(plan, candidate).Min(p => CapacityAt(plan, p, name)!.Value
                / steps.Count(s => s == p.Variant));
        }

        var (site, place) = (plan.Options.Sites[name], candidate.Sites[name]);
        var variant = plan.Options.Variants[candidate.Variant];
        return site.Kind switch
        {
            SiteKind.Cloud or SiteKind.Edge =>
                ReplicasMost(place) * Fleet.Capacity.PerReplica(plan, candidate, place.Machine),
            SiteKind.Serverless => ConcurrencyOf(place.Serverless!, plan.Platforms[site.Platform]) * 1000.0
                / (variant.ServerlessMs!.Value * Fleet.Capacity.MeanSize(plan)),
            SiteKind.Upstream => UpstreamChain.PerSecond(plan, candidate.Variant),
        };
    }

    /// <summary>Instances at once: what the place asks for, and never more than the platform gives.</summary>
    public static int ConcurrencyOf(ServerlessOptions place, PlatformOptions platform) => place.ConcurrencyMax > 0
        ? Math.Min(place.ConcurrencyMax, platform.ConcurrencyMax) : platform.ConcurrencyMax;

    /// <summary>Whether a policy moves the number of replicas; a fixed number is no policy.</summary>
    public static bool IsScaled(PlacementOptions place) =>
        place.Scaling is { } scaling && scaling.Policy != ScalingCatalogue.Fixed;

    /// <summary>The replicas at the beginning, and throughout where nothing moves their number.</summary>
    public static int ReplicasFirst(PlacementOptions place) => IsScaled(place)
        ? Math.Max(Math.Min(place.Replicas, place.Scaling!.ReplicasMax), place.Scaling.ReplicasMin)
        : Math.Max(place.Replicas, place.Scaling?.ReplicasMin ?? 0);

    /// <summary>The most replicas of a place.</summary>
    public static int ReplicasMost(PlacementOptions place) =>
        IsScaled(place) ? place.Scaling!.ReplicasMax : ReplicasFirst(place);
}

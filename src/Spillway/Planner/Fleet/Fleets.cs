using Spillway.Planner.Plans;

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
        foreach (var (name, place) in candidate.Sites)
        {
            var site = plan.Options.Sites[name];
            var variant = plan.Options.Variants[candidate.Variant];
            switch (site.Kind)
            {
                case SiteKind.Cloud:
                case SiteKind.Edge:
                    sum += ReplicasMost(place) * Fleet.Capacity.PerReplica(plan, candidate, place.Machine);
                    break;
                case SiteKind.Serverless:
                    var most = place.Serverless!.ConcurrencyMax > 0 ? place.Serverless.ConcurrencyMax
                        : plan.Platforms[site.Platform].ConcurrencyMax;
                    sum += most * 1000 / (variant.ServerlessMs!.Value * Fleet.Capacity.MeanSize(plan));
                    break;
                case SiteKind.Upstream:
                    if (variant.Upstream!.RequestsPerMinuteMax <= 0)
                        return null;
                    sum += variant.Upstream.RequestsPerMinuteMax / 60;
                    break;
            }
        }

        return sum;
    }

    /// <summary>The most replicas of a place.</summary>
    public static int ReplicasMost(PlacementOptions place) => place.Scaling is { } scaling && scaling.Policy != "fixed"
        ? scaling.ReplicasMax : Math.Max(place.Replicas, place.Scaling?.ReplicasMin ?? 0);
}

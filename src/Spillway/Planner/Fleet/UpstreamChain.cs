using Spillway.Planner.Plans;
using Spillway.Policies.Chains;

namespace Spillway.Planner.Fleet;

/// <summary>What stands behind a route of a plan.</summary>
internal static class UpstreamChain
{
    /// <summary>The steps of a variant's route; the variant alone where it has no chain.</summary>
    public static ChainOptions Of(VariantOptions variant, string name) =>
        variant.Route is { Chain.Steps.Count: > 0 } route ? route.Chain
        : new() { Steps = [new() { Kind = ChainStepKind.Model, Model = name }] };

    /// <summary>The upstreams that can answer for a variant, in order; at least one.</summary>
    public static IReadOnlyList<UpstreamTimesOptions> Upstreams(Plan plan, string name) =>
        [.. Of(plan.Options.Variants[name], name).Steps.Where(s => s.Kind is ChainStepKind.Model)
            .Select(s => plan.Options.Variants[s.Model].Upstream!)];

    /// <summary>Requests a second that all of them take; null where one has no limit.</summary>
    public static double? PerSecond(Plan plan, string name)
    {
        var all = Upstreams(plan, name);
        return all.Any(u => u.RequestsPerMinuteMax <= 0) ? null : all.Sum(u => u.RequestsPerMinuteMax) / 60;
    }
}

using Spillway.Config;
using Spillway.Planner.Fleet;
using Spillway.Policies.Chains;

namespace Spillway.Planner.Plans;

/// <summary>A plan's routes by the server's own rules: what it would refuse at start, a plan refuses too.</summary>
/// <param name="options">The plan.</param>
/// <param name="binder">Where errors go.</param>
internal sealed class RouteChecks(PlanOptions options, OptionBinder binder)
{
    /// <summary>Reports what a variant's route breaks.</summary>
    /// <param name="name">The variant's.</param>
    /// <param name="variant">With a route or without.</param>
    public void Check(string name, VariantOptions variant)
    {
        if (variant.Upstream is { Policies.Hedge.Enabled: true, Targets: < 2 })
            binder.Report($"variants.{name}.upstream.policies.hedge", "", "There is one server, and nobody else to "
                + "send a second copy to.", "Give targets: 2 or more, or remove hedge.");
        if (variant.Route is not { } route)
            return;
        if (route.Chain.Steps.Count > 0)
            Chain(name, route);
        Guards(name, variant, route);
    }

    /// <summary>Limits and budgets that no site of a candidate would count are no silent wish.</summary>
    /// <param name="candidate">Which.</param>
    /// <param name="variant">Its own.</param>
    /// <param name="key">Of the candidate.</param>
    public void Check(CandidateOptions candidate, VariantOptions variant, string key)
    {
        if (variant.Route is not { } route || (route.Limits.Rates.Count == 0 && route.Budgets.Count == 0)
            || candidate.Sites.Keys.Any(s => options.Sites.GetValueOrDefault(s) is not { Kind: not SiteKind.Upstream }))
            return;
        binder.Report($"{key}.variant", candidate.Variant, "Its route has limits or budgets, which count at sites of "
            + "kind upstream, and none of the candidate's is one.",
            "Use a variant without them, or a site of kind upstream.");
    }

    /// <summary>The models of a chain are variants with an upstream.</summary>
    private void Chain(string name, PlanRouteOptions route)
    {
        HashSet<string> targets = [.. options.Variants.Where(v => v.Value.Upstream is not null).Select(v => v.Key)];
        var found = new ChainCheck(targets, "variants").Check(
            new Dictionary<string, ChainOptions> { [$"{name}.route"] = route.Chain },
            new Dictionary<string, double> { [$"{name}.route"] = route.DeadlineMs });
        foreach (var one in found)
            binder.Report(one.Key, one.Value, $"It {one.Problem}.", one.Remedy);
    }

    /// <summary>Limits and budgets: what they name must be there.</summary>
    private void Guards(string name, VariantOptions variant, PlanRouteOptions route)
    {
        string[] models = [.. UpstreamChain.Of(variant, name).Steps.Where(s => s.Kind is ChainStepKind.Model)
            .Select(s => s.Model)];
        string[] tenants = [.. options.Workloads.Select(w => w.Tenant).Distinct()];
        GuardChecks.Check(
            new() { Rates = route.Limits.Rates, Weights = route.Limits.Weights }, route.Budgets,
            new(tenants, models, [name], $"variants.{name}.route."), binder);
    }
}

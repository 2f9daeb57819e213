using Spillway.Planner.Plans;
using Spillway.Transforms;

namespace Spillway.Planner.Fleet;

/// <summary>What forbids a candidate before anything is simulated: limits of platforms and memory.</summary>
internal static class Feasibility
{
    /// <summary>The obstacles, each a sentence with the figure and the limit; empty when there are none.</summary>
    public static IReadOnlyList<string> Obstacles(Plan plan, CandidateOptions candidate) =>
        [.. Pipelines.Parts(plan, candidate).SelectMany(part => OwnObstacles(plan, part))];

    private static List<string> OwnObstacles(Plan plan, CandidateOptions candidate)
    {
        var variant = plan.Options.Variants[candidate.Variant];
        List<string> found = [];
        foreach (var (name, place) in candidate.Sites)
        {
            var site = plan.Options.Sites[name];
            switch (site.Kind)
            {
                case SiteKind.Cloud:
                case SiteKind.Edge:
                    var machine = plan.Machines[place.Machine];
                    if (variant.Language is { } language
                        && LanguageFleet.Memory(plan, language, machine).Fault is { } fault)
                        found.Add(fault.Message);
                    if (machine.MemoryGb > 0 && variant.MemoryGb > machine.MemoryGb)
                        found.Add(Say($"{candidate.Variant} needs {variant.MemoryGb:0.##} GB, {place.Machine} at "
                            + $"{name} "
                            + $"has {machine.MemoryGb:0.##} GB: a larger machine, or a smaller variant."));
                    break;
                case SiteKind.Serverless:
                    Serverless(plan.Platforms[site.Platform].In(site.PriceRegion), site, place.Serverless!,
                        candidate.Variant, variant, found);
                    Duration(plan, plan.Platforms[site.Platform], site.Platform, variant, found);
                    break;
                case SiteKind.Upstream:
                    break;
            }
        }

        return found;
    }

    private static void Serverless(PlatformOptions platform, SiteOptions site, ServerlessOptions place,
        string variantName, VariantOptions variant, List<string> found)
    {
        var name = site.Platform;
        if (place.MemoryGb > platform.MemoryGbMax)
            found.Add(Say($"serverless.memoryGb is {place.MemoryGb:0.##}, {name} gives at most "
                + $"{platform.MemoryGbMax:0.##} GB."));
        if (variant.MemoryGb > Math.Min(place.MemoryGb, platform.MemoryGbMax))
            found.Add(Say($"{variantName} needs {variant.MemoryGb:0.##} GB, an instance has {place.MemoryGb:0.##} GB "
                + $"and "
                + $"{name} allows {platform.MemoryGbMax:0.##} GB: a smaller or quantised variant."));
        if (place.Provisioned > 0 && platform.ProvisionedPerGbSecond is null)
            found.Add($"{name} has no price for provisioned concurrency"
                + (site.PriceRegion.Length == 0 ? "" : $" in {site.PriceRegion}")
                + " in the price files; it is not taken for nothing.");
    }

    /// <summary>The largest request that is known must end in time; larger ones, of sizes without a bound, are cut off
    /// in the simulation.</summary>
    private static void Duration(
        Plan plan, PlatformOptions platform, string name, VariantOptions variant, List<string> found)
    {
        var largest = Capacity.LargestSize(plan);
        var seconds = (variant.ServerlessMs ?? 0) / 1000 * largest;
        if (seconds > platform.DurationSecondsMax)
            found.Add(Say($"a request of size {largest:0.##} takes {seconds:0.##} s, {name} ends it after "
                + $"{platform.DurationSecondsMax:0.##} s: smaller requests, or machines."));
    }

    private static string Say(InvariantText text) => text.Take();
}

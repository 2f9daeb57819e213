namespace Spillway.Planner.Plans;

/// <summary>
/// Pipelines of steps: a variant whose requests pass other variants one after another. Each step has replicas of its
/// own, so that for every question about machines a candidate with a pipeline is as many candidates as it has steps.
/// </summary>
internal static class Pipelines
{
    /// <summary>The most steps of a pipeline, those of its pipelines counted.</summary>
    public const int StepsMax = 32;

    /// <summary>The variants that a request passes, in order; itself alone where it is no pipeline.</summary>
    /// <param name="variants">Of the plan.</param>
    /// <param name="name">Of the variant.</param>
    /// <returns>A fault where a pipeline comes back to itself, names nothing, or is too long.</returns>
    public static Outcome<string[]> Steps(IReadOnlyDictionary<string, VariantOptions> variants, string name)
    {
        List<string> steps = [];
        if (Add(variants, name, [], steps) is { } fault)
            return fault;
        return steps.ToArray();
    }

    /// <summary>Whether it is one.</summary>
    public static bool IsOne(Plan plan, CandidateOptions candidate) =>
        plan.Options.Variants[candidate.Variant].Pipeline.Count > 0;

    /// <summary>The steps of a candidate of a checked plan, in order; a step may come twice.</summary>
    public static IReadOnlyList<string> Steps(Plan plan, CandidateOptions candidate) =>
        Steps(plan.Options.Variants, candidate.Variant).Value;

    /// <summary>The candidate as one for each different step; the candidate itself where it is no pipeline.</summary>
    public static IReadOnlyList<CandidateOptions> Parts(Plan plan, CandidateOptions candidate) =>
        IsOne(plan, candidate) ? [.. Steps(plan, candidate).Distinct().Select(s => Part(candidate, s))] : [candidate];

    /// <summary>What stands for one step.</summary>
    public static CandidateOptions Part(CandidateOptions candidate, string step) => candidate with
    {
        Variant = step, Sites = candidate.Sites.ToDictionary(s => s.Key, s => s.Value.Steps[step].Whole),
    };

    /// <summary>How far its times can be trusted: as far as those of the weakest step.</summary>
    public static Evidence EvidenceOf(Plan plan, CandidateOptions candidate) =>
        Parts(plan, candidate).Max(p => plan.Options.Variants[p.Variant].Evidence);

    private static Fault? Add(IReadOnlyDictionary<string, VariantOptions> variants, string name,
        IReadOnlyList<string> path, List<string> steps)
    {
        IReadOnlyList<string> way = [.. path, name];
        if (path.Contains(name))
            return Fault.Invalid($"The pipeline loops: {string.Join(" > ", way.SkipWhile(s => s != name))}. A request "
                + "would never leave it: take one of the steps out.");
        if (!variants.TryGetValue(name, out var variant))
            return Fault.Invalid($"{path[^1]} passes requests to {name}, and there is no variant of that name.");
        if (variant.Pipeline.Count == 0)
        {
            steps.Add(name);
            return steps.Count <= StepsMax ? null
                : Fault.Invalid($"The pipeline of {way[0]} has more than {StepsMax} steps.");
        }

        foreach (var step in variant.Pipeline)
        {
            if (Add(variants, step, way, steps) is { } fault)
                return fault;
        }

        return null;
    }
}

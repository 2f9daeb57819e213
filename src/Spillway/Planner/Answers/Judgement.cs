using Spillway.Planner.Fleet;
using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;
using Spillway.Transforms;

namespace Spillway.Planner.Answers;

/// <summary>
/// Which candidate is recommended, and why each other one is not. The cheapest that keeps every goal wins; where the
/// qualities of some are known, the others are not recommended over them, however cheap they are.
/// </summary>
/// <param name="plan">The plan.</param>
/// <param name="outcomes">Of its candidates.</param>
/// <param name="best">The recommended one; null for none.</param>
internal sealed class Judgement(Plan plan, IReadOnlyList<CandidateOutcome> outcomes, CandidateOutcome? best)
{
    private string Currency => plan.Currency;

    /// <summary>
    /// The cheapest of those that keep every goal, the known quality first, then those whose interruptions are known;
    /// null when none does.
    /// </summary>
    /// <remarks>Of those that cost the same within half a percent, the fastest.</remarks>
    public static CandidateOutcome? Best(IReadOnlyList<CandidateOutcome> outcomes)
    {
        var cheapest = outcomes.Where(o => o.IsFit).OrderBy(o => o.Quality is null)
            .ThenBy(o => o.InterruptionsUnknown).ThenBy(o => o.CostPerHour).FirstOrDefault();
        return outcomes.Where(o => o.IsFit && o.Quality is null == cheapest!.Quality is null
            && o.InterruptionsUnknown == cheapest.InterruptionsUnknown
            && o.CostPerHour <= cheapest.CostPerHour * Frontier.Same).MinBy(o => o.Total.P95Ms);
    }

    /// <summary>The recommendation in a sentence.</summary>
    public string Sentence()
    {
        if (best is null)
            return outcomes.Count == 0 ? "Nothing was simulated."
                : $"None of {outcomes.Count} candidates keeps every goal. "
                + Nearest();
        var others = outcomes.Count(o => o != best && o.IsFit);
        var quality = best.Quality is { } known ? Say($", quality {known:0.###}") : ", quality unknown";
        var goals = best.Goals.Count == 0 ? "no goal was set, and it is the cheapest" : others == 0
            ? "it is the only one that keeps every goal" : $"it is the cheapest of {others + 1} that keep every goal";
        return $"Take {best.Candidate.Name}: " + Say($"{Figures.Money(best.CostPerMonth)} {Currency} a month, p95 "
            + $"{Figures.Ms(best.Total.P95Ms)}, "
            + $"{best.RefusedShare * 100:0.##} % refused{quality}; ") + $"{goals}. Service times are "
            + $"{Evaluation.Word(best.Evidence)}."
            + (best.InterruptionsUnknown ? " Its spot machines were never taken back here, because their price file "
                + "does not say how often they are (spotMeanHours): try --what-if spot-interruption." : "");
    }

    /// <summary>Why a candidate is recommended, or why not.</summary>
    public string Reason(CandidateOutcome o)
    {
        if (o == best)
            return o.Goals.Count == 0 ? "the cheapest" : "the cheapest that keeps every goal";
        if (o.Infeasible.Count > 0)
            return $"infeasible: {string.Join(" ", o.Infeasible)}";
        var broken = o.Goals.Where(g => !g.Kept).Select(Broken).ToList();
        if (broken.Count > 0)
            return string.Join("; ", broken);
        if (Doubt(o) is { } doubt)
            return doubt;
        if (best is not null && o.CostPerHour <= best.CostPerHour * Frontier.Same)
            return "keeps every goal, costs the same, and is slower";
        return best is null ? "" : Say($"keeps every goal, and costs "
            + $"{Figures.Money(o.CostPerMonth - best.CostPerMonth)} {Currency} a "
            + $"month more");
    }

    /// <summary>What is unknown of a candidate that keeps every goal; null for nothing that matters.</summary>
    private string? Doubt(CandidateOutcome o)
    {
        if (o.Answered == 0)
            return "it answered nobody";
        if (best is { Quality: not null } && o.Quality is null)
            return "its quality is unknown, and that of the recommended one is known";
        if (best is { InterruptionsUnknown: false } && o.InterruptionsUnknown)
            return "how often its spot machines are taken back is unknown (spotMeanHours), and nothing of the "
                + "recommended one is";
        return null;
    }

    /// <summary>What would have to change for a candidate that breaks a goal.</summary>
    public IReadOnlyList<string> WouldHelp(CandidateOutcome o)
    {
        List<string> help = [];
        if (o.Infeasible.Count > 0 || o.Goals.All(g => g.Kept))
            return help;
        foreach (var goal in o.Goals.Where(g => !g.Kept))
        {
            switch (goal.Goal)
            {
                case "p50" or "p95" or "p99" or "first token p95":
                    help.AddRange(Faster(o, goal));
                    break;
                case "per token p95":
                    help.Add(FasterTokens(o, goal));
                    break;
                case "refused":
                    help.Add(MoreReplicas(o));
                    break;
                case "cost a month" or "cost per 1,000":
                    help.Add(Cheaper(o, goal));
                    break;
                case "quality":
                    help.Add(o.Quality is null ? $"measure the quality of {o.Candidate.Variant}, and give it with "
                        + $"its source"
                        : "another variant");
                    break;
            }
        }

        return [.. help.Where(h => h.Length > 0).Distinct()];
    }

    private static string Say(InvariantText text) => text.Take();

    private string Nearest()
    {
        var nearest = outcomes.Where(o => o.Infeasible.Count == 0).OrderBy(o => o.Goals.Count(g => !g.Kept))
            .ThenBy(o => o.CostPerHour).FirstOrDefault();
        if (nearest is null)
            return "Each is infeasible: see why below.";
        var help = WouldHelp(nearest);
        return $"Nearest is {nearest.Candidate.Name}: {Reason(nearest)}."
            + (help.Count == 0 ? "" : $" It would take: {string.Join("; ", help)}.");
    }

    private string Broken(GoalVerdict goal)
    {
        var unit = goal.Unit.Length > 0 ? goal.Unit : goal.Goal == "quality" ? "" : Currency;
        string Figure(double value) => goal.Unit == "ms" ? Figures.Ms(value) : $"{Figures.Money(value)} {unit}".Trim();
        if (goal.Got is not { } got)
            return goal.Goal == "quality" ? Say($"its quality is unknown, {goal.Wanted:0.###} is the floor")
                : $"{goal.Goal}: no answer to measure";
        return goal.Goal == "quality" ? Say($"quality {got:0.###}, {goal.Wanted:0.###} is the floor")
            : $"{goal.Goal} {Figure(got)}, promised {Figure(goal.Wanted)}";
    }

    /// <summary>A time that is missed: is it the floor, which more replicas cannot lower, or the waiting?</summary>
    private IEnumerable<string> Faster(CandidateOutcome o, GoalVerdict goal)
    {
        var waits = o.Stages.Where(s => s.Name is "queue" or "cold start").Sum(s => s.MeanMs);
        var alone = AloneTimes.Of(plan, o.Candidate);
        var parts = o.Stages.Where(s => s.Name is not ("queue" or "cold start") && s.MeanMs > 0
            && !(goal.Goal == "first token p95" && s.Name == "decode"))
            .Select(s => (s.Name, Ms: Math.Min(s.P50Ms, alone.MsOf(s.Name)))).ToList();
        var floor = parts.Sum(s => s.Ms);
        if (floor > goal.Wanted && parts.Count > 0)
        {
            var most = parts.MaxBy(s => s.Ms);
            yield return Say($"no number of replicas helps: without any waiting it takes {Figures.Ms(floor)}, most "
                + $"of it "
                + $"{most.Name} ({Figures.Ms(most.Ms)}): ")
                    + (most.Name == "network" ? "a nearer site" : most.Name == "i/o"
                ? "faster work before the model, or a cache" : "a faster machine, or a smaller variant");
            yield break;
        }

        // Batches and steps that are shared are slower than those of one request: more replicas share less.
        var shared = o.Stages.Sum(s => s.P50Ms - Math.Min(s.P50Ms, alone.MsOf(s.Name)));
        if (waits > 0 || shared > 0)
            yield return MoreReplicas(o);
    }

    /// <summary>A token takes a step, and a step takes longer the more requests share it.</summary>
    private string FasterTokens(CandidateOutcome o, GoalVerdict goal)
    {
        var token = AloneTimes.Of(plan, o.Candidate).TokenMs;
        if (token > goal.Wanted && double.IsFinite(token))
            return Say($"no number of replicas helps: a step with one request takes {Figures.Ms(token)}: a device with "
                + $"more memory bandwidth, fewer bits for each weight, or a smaller variant");
        return double.IsFinite(token)
            ? Say($"fewer requests in a step, by more replicas or a smaller serving.sequencesMax: with one alone a "
                + $"token takes {Figures.Ms(token)}")
            : "a faster upstream";
    }

    private string MoreReplicas(CandidateOutcome whole)
    {
        // Of a pipeline the narrowest step.
        var part = Pipelines.Parts(plan, whole.Candidate).MinBy(
            p => Fleets.Capacity(plan, p) ?? double.PositiveInfinity)!;
        var help = MoreOf(whole with { Candidate = part });
        return Pipelines.IsOne(plan, whole.Candidate) ? $"at the step {part.Variant}: {help}" : help;
    }

    private string MoreOf(CandidateOutcome o)
    {
        var machines = o.Candidate.Sites.Where(s => s.Value.Machine.Length > 0).ToList();
        if (machines.Count == 0)
            return o.Candidate.Sites.Any(s => s.Value.Serverless is not null)
                ? "a higher concurrency limit, or provisioned instances"
                    : "a higher limit at the upstream, or a second one";
        var each = machines.Average(s => Capacity.PerReplica(plan, o.Candidate, s.Value.Machine));
        var peak = o.Pieces.Count == 0 ? 0 : o.Pieces.Max(p =>
            p.Offered) / (plan.Options.DurationSeconds / o.Pieces.Count);
        var hits = o.Answered == 0 ? 0 : o.FromCache / (double)o.Answered;
        var have = machines.Sum(s => Fleets.ReplicasMost(s.Value));
        // Room for a burst by the square-root rule: R + sqrt(R), which keeps the chance to wait near 22 % (Halfin,
        // Whitt).
        var busy = peak * (1 - hits) / each;
        var want = (int)Math.Ceiling(busy + Math.Sqrt(busy));
        return want > have
            ? Say($"about {want} replicas in place of {have}: the busiest stretch brings {peak:0.#} requests a "
                + $"second, a "
                + $"replica answers {each:0.#}")
            : "replicas where and when they are wanted: the capacity is there, the waiting is at one site or while "
                + "replicas start";
    }

    private string Cheaper(CandidateOutcome o, GoalVerdict goal)
    {
        var fit = outcomes.Where(x => x.Infeasible.Count == 0 && x.Goals.All(g => g.Kept || g.Goal == goal.Goal))
            .MinBy(x => x.CostPerHour);
        return fit is null || fit == o
            ? Say($"a budget of {Figures.Money(goal.Got ?? 0)} {Currency}, cheaper machines, or fewer of them where "
                + $"the use is "
                + $"{(o.Utilisation ?? 0) * 100:0} %")
            : Say($"a budget of {Figures.Money(fit.Goals.First(g => g.Goal == goal.Goal).Got ?? 0)} {Currency}, for "
                + $"which "
                + $"{fit.Candidate.Name} keeps every other goal");
    }
}

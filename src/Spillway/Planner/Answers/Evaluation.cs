using Spillway.Planner.Fleet;
using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;

namespace Spillway.Planner.Answers;

/// <summary>Runs one candidate through the whole workload, and holds it against the goals. Pure; any thread.</summary>
public static class Evaluation
{
    private static readonly double[] s_uses = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

    /// <summary>The outcome; null when the watch ended it.</summary>
    /// <param name="plan">Read and checked.</param>
    /// <param name="candidate">One of its candidates.</param>
    /// <param name="watch">Sees the progress; null for nobody.</param>
    /// <param name="drill">What goes wrong; null for an ordinary day.</param>
    public static CandidateOutcome? Run(
        Plan plan, CandidateOptions candidate, IRunWatch? watch = null, Drill? drill = null)
    {
        var variant = plan.Options.Variants[candidate.Variant];
        var outcome = new CandidateOutcome
        {
            Candidate = candidate, Evidence = Pipelines.EvidenceOf(plan, candidate), Quality = variant.Quality,
        };
        if (Feasibility.Obstacles(plan, candidate) is { Count: > 0 } obstacles)
            return outcome with { Infeasible = obstacles };
        var simulation = new Simulation(plan, candidate, drill);
        if (!simulation.Run(watch))
            return null;
        outcome = Price(Count(outcome, plan, simulation), plan, simulation);
        return outcome with { Goals = Verdicts(plan.Options.Goals, outcome) };
    }

    private static CandidateOutcome Count(CandidateOutcome outcome, Plan plan, Simulation simulation)
    {
        var (tally, seconds) = (simulation.Tally, plan.Options.DurationSeconds - plan.Options.WarmUpSeconds);
        var machines = simulation.Sites.OfType<MachineSite>().ToList();
        var hours = (simulation.Ended - default(Instant)).TotalHours;
        return outcome with
        {
            Offered = tally.Offered, Answered = tally.Answered, Kept = tally.Kept, FromCache = tally.FromCache,
            Faults = tally.Faults, ColdStarts = simulation.Sites.Sum(s => s.ColdStarts),
            Turned = [.. simulation.Sites.SelectMany(s => s.Turned.Select(t => (s.Name, t)))],
            Retries = simulation.Sites.Sum(s => s.Again.Retries), Hedges = simulation.Sites.Sum(s => s.Again.Hedges),
            Total = StageTimes.Of("total", tally.Total),
            Stages = [.. PlanStages.All.Select((s, i) => StageTimes.Of(s.Name(), tally.ByStage[i], Words(s, outcome)))],
            Steps = [.. tally.BySteps.Select((times, at) => StageTimes.Of(
                $"step {at + 1}, {Pipelines.Steps(plan, outcome.Candidate)[at]}", times,
                $"simulated from {Word(outcome.Evidence)} times"))],
            FirstToken = tally.FirstToken.Count > 0 ? StageTimes.Of("first token", tally.FirstToken) : null,
            PerToken = tally.PerToken.Count > 0 ? StageTimes.Of("per token", tally.PerToken) : null,
            Throughput = tally.AnsweredInTime / seconds, Goodput = tally.KeptInTime / seconds,
            Capacity = Fleets.Capacity(plan, outcome.Candidate),
            Utilisation = Use(machines, simulation.Ended),
            ReplicasMean = simulation.Sites.Sum(s => s.ReplicaHours(simulation.Ended)) / hours,
            ReplicasMost = simulation.Sites.Sum(s => s.ReadyMost), BrokenSeconds = tally.BrokenSeconds(),
            Pieces = tally.Pieces, Little = simulation.Little,
            InterruptionsUnknown = machines.Any(s => s.InterruptionsUnknown),
        };
    }

    /// <summary>The used part of what all ready replicas could have done; null without machines.</summary>
    private static double? Use(List<MachineSite> machines, Instant until)
    {
        if (machines.Count == 0)
            return null;
        var hours = machines.Sum(s => s.RunnerHours(until));
        return hours <= 0 ? 0 : machines.Sum(s => s.RunnerHours(until) * s.Utilisation(until)!.Value) / hours;
    }

    /// <summary>Service times are as good as the variant's figures; waits follow from them; the rest was
    /// given.</summary>
    private static string Words(PlanStage stage, CandidateOutcome outcome) => stage switch
    {
        PlanStage.Network or PlanStage.Io => "given",
        PlanStage.ColdStart => "given",
        PlanStage.Queue => $"simulated from {Word(outcome.Evidence)} times",
        PlanStage.Execute or PlanStage.Prefill or PlanStage.Decode => Word(outcome.Evidence),
    };

    /// <summary>As reports write it.</summary>
    public static string Word(Evidence evidence) => evidence switch
    {
        Evidence.Measured => "measured",
        Evidence.Calibrated => "calibrated",
        Evidence.Theoretical => "theoretical",
    };

    private static CandidateOutcome Price(CandidateOutcome outcome, Plan plan, Simulation simulation)
    {
        List<CostLine> lines = [.. simulation.Sites.SelectMany(s => s.Costs(simulation.Ended))];
        var bill = lines.Aggregate(Money.Zero, (sum, line) => sum + line.Amount);
        var exact = lines.Sum(line => line.Quantity * line.Price);
        if (Math.Abs(exact - (bill.Nano / 1_000_000_000m)) > lines.Count * 0.000_000_001m)
            throw new InvalidOperationException($"The lines of a simulated bill come to {exact}, the bill to {bill}.");
        var total = (double)bill.Nano / 1e9;
        var hours = (simulation.Ended - default(Instant)).TotalHours;
        var tally = simulation.Tally;
        return outcome with
        {
            Costs = lines, Bill = bill, CostPerHour = total / hours,
            CostPer1000 = tally.AllAnswered == 0 ? null : total / tally.AllAnswered * 1000,
            CostPerMillionTokens = tally.Tokens == 0 ? null : total / tally.Tokens * 1e6,
            CostCurve = Curve(plan, outcome.Candidate, simulation, lines),
        };
    }

    /// <summary>
    /// Machines cost the same whether they are used or not, so their cost of an answer is a price of an hour divided by
    /// the use made of it; calls, tokens and bytes cost the same for every answer. Full use is that of all replicas
    /// that the sites may have, and all of those are paid for; rent and what is provisioned cost the same at any
    /// number. Where a cache or an unlimited upstream takes a part of the answers, full use is that of the replicas,
    /// and those go on taking their part.
    /// </summary>
    private static IReadOnlyList<CostPoint> Curve(
        Plan plan, CandidateOptions candidate, Simulation simulation, List<CostLine> lines)
    {
        var answered = simulation.Tally.AllAnswered;
        if (answered == 0)
            return [];
        var hours = (simulation.Ended - default(Instant)).TotalHours;
        var each = lines.Where(l => !IsHeld(l)).Sum(l => (double)l.Amount.Nano) / 1e9 / answered * 1000;
        var perHour = simulation.Sites.Sum(s => s.FullPerHour) + (lines.Where(l => IsHeld(l) && l.Unit != "hours")
            .Sum(l => (double)l.Amount.Nano) / 1e9 / hours);
        var (capacity, bounded) = (0.0, 0L);
        foreach (var site in simulation.Sites.Where(s => s.IsEntry))
        {
            if (Fleets.CapacityAt(plan, candidate, site.PlaceName) is not { } own)
                continue;
            (capacity, bounded) = (capacity + own, bounded + site.Answered - site.Remembered);
        }

        if (perHour <= 0 || capacity <= 0 || bounded == 0)
            return [.. s_uses.Select(use => new CostPoint(use, each))];
        var full = capacity * simulation.Sites.Sum(s => s.Answered) / bounded;
        return [.. s_uses.Select(use => new CostPoint(use, each + (perHour / (full * use * 3600) * 1000)))];
    }

    private static bool IsHeld(CostLine line) => line.Unit is "hours" or "months" || line.What == "provisioned";

    private static List<GoalVerdict> Verdicts(GoalOptions goals, CandidateOutcome o)
    {
        List<GoalVerdict> verdicts = [];
        // Percentiles of answers say nothing where nobody is answered.
        double? Time(double ms) => o.Answered == 0 ? null : ms;
        Most("p50", goals.P50Ms, Time(o.Total.P50Ms), "ms");
        Most("p95", goals.P95Ms, Time(o.Total.P95Ms), "ms");
        Most("p99", goals.P99Ms, Time(o.Total.P99Ms), "ms");
        Most("first token p95", goals.FirstTokenP95Ms, o.FirstToken?.P95Ms, "ms");
        Most("per token p95", goals.PerTokenP95Ms, o.PerToken?.P95Ms, "ms");
        Most("refused", goals.RefusedShareMax * 100, o.RefusedShare * 100, "%");
        Most("cost a month", goals.CostPerMonthMax, o.CostPerMonth, "");
        Most("cost per 1,000", goals.CostPer1000Max, o.CostPer1000, "");
        if (goals.QualityMin is { } least)
            verdicts.Add(new("quality", least, o.Quality, "", o.Quality >= least));
        return verdicts;

        void Most(string goal, double? wanted, double? got, string unit)
        {
            if (wanted is { } limit)
                verdicts.Add(new(goal, limit, got, unit, got <= limit));
        }
    }
}

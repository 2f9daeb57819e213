using Spillway.Planner.Plans;

namespace Spillway.Planner.Outcomes;

/// <summary>Times of one stage, over the answered requests.</summary>
/// <param name="Name">Of the stage.</param>
/// <param name="MeanMs">Mean.</param>
/// <param name="P50Ms">Median.</param>
/// <param name="P95Ms">95th percentile.</param>
/// <param name="P99Ms">99th percentile.</param>
/// <param name="Evidence">What it rests on, in a word.</param>
public readonly record struct StageTimes(
    string Name, double MeanMs, double P50Ms, double P95Ms, double P99Ms, string Evidence = "")
{
    /// <summary>Read from a histogram.</summary>
    public static StageTimes Of(string name, TimeHistogram times, string evidence = "") => new(name,
        times.Mean.TotalMilliseconds, times.At(0.5).TotalMilliseconds, times.At(0.95).TotalMilliseconds,
        times.At(0.99).TotalMilliseconds, evidence);
}

/// <summary>Whether a goal was kept.</summary>
/// <param name="Goal">In words.</param>
/// <param name="Wanted">The limit.</param>
/// <param name="Got">The figure; null where it is unknown.</param>
/// <param name="Unit">Of both.</param>
/// <param name="Kept">Whether it was.</param>
public readonly record struct GoalVerdict(string Goal, double Wanted, double? Got, string Unit, bool Kept);

/// <summary>What 1,000 answers cost at a utilisation.</summary>
/// <param name="Utilisation">Of the capacity, 0 to 1.</param>
/// <param name="Per1000">In the plan's currency.</param>
public readonly record struct CostPoint(double Utilisation, double Per1000);

/// <summary>What became of a candidate.</summary>
public sealed record CandidateOutcome
{
    /// <summary>The candidate.</summary>
    public required CandidateOptions Candidate { get; init; }

    /// <summary>Why it cannot be built at all; empty when it can.</summary>
    public IReadOnlyList<string> Infeasible { get; init; } = [];

    /// <summary>How far its service times can be trusted.</summary>
    public required Evidence Evidence { get; init; }

    /// <summary>Its quality; null when unknown.</summary>
    public double? Quality { get; init; }

    /// <summary>Requests after the warm-up.</summary>
    public long Offered { get; init; }

    /// <summary>Those answered.</summary>
    public long Answered { get; init; }

    /// <summary>Those answered within the promise.</summary>
    public long Kept { get; init; }

    /// <summary>Those answered from a cache.</summary>
    public long FromCache { get; init; }

    /// <summary>Why others were not, and how many.</summary>
    public IReadOnlyDictionary<FaultKind, long> Faults { get; init; } = new Dictionary<FaultKind, long>();

    /// <summary>What each rate limit and budget did, with its site; empty where no route declares any.</summary>
    public IReadOnlyList<(string Site, GateCount Count)> Turned { get; init; } = [];

    /// <summary>Second attempts at upstreams.</summary>
    public long Retries { get; init; }

    /// <summary>Second copies of slow calls to upstreams.</summary>
    public long Hedges { get; init; }

    /// <summary>Starts that somebody waited for.</summary>
    public long ColdStarts { get; init; }

    /// <summary>From send to whole answer.</summary>
    public StageTimes Total { get; init; }

    /// <summary>By stage.</summary>
    public IReadOnlyList<StageTimes> Stages { get; init; } = [];

    /// <summary>By step of a pipeline, from its coming there until it has passed; empty without one.</summary>
    public IReadOnlyList<StageTimes> Steps { get; init; } = [];

    /// <summary>From send to first token; null where nobody counts tokens.</summary>
    public StageTimes? FirstToken { get; init; }

    /// <summary>Per further token; null where nobody counts tokens.</summary>
    public StageTimes? PerToken { get; init; }

    /// <summary>Answers a second.</summary>
    public double Throughput { get; init; }

    /// <summary>Answers a second within the promise.</summary>
    public double Goodput { get; init; }

    /// <summary>Requests a second that it could answer with all replicas it may have; null where nothing bounds
    /// it.</summary>
    public double? Capacity { get; init; }

    /// <summary>Lines of the bill over the simulated time.</summary>
    public IReadOnlyList<CostLine> Costs { get; init; } = [];

    /// <summary>Their sum.</summary>
    public Money Bill { get; init; }

    /// <summary>Of an hour, in the plan's currency.</summary>
    public double CostPerHour { get; init; }

    /// <summary>Of a month of 730 hours.</summary>
    public double CostPerMonth => CostPerHour * (double)CostLine.HoursPerMonth;

    /// <summary>Of 1,000 answers; null without any.</summary>
    public double? CostPer1000 { get; init; }

    /// <summary>Of a million written tokens; null without any.</summary>
    public double? CostPerMillionTokens { get; init; }

    /// <summary>What 1,000 answers cost as the fleet is used more or less: fixed cost by use, and what each answer
    /// costs.</summary>
    public IReadOnlyList<CostPoint> CostCurve { get; init; } = [];

    /// <summary>
    /// The work that was done as a part of what the ready replicas could have done with full batches, 0 to 1; null
    /// without machines. A replica with one running request is busy, and used a little.
    /// </summary>
    public double? Utilisation { get; init; }

    /// <summary>
    /// Where on <see cref="CostCurve"/> it was: answers that no cache gave, as a part of <see cref="Capacity"/>; null
    /// without a bound. With a fixed number of replicas about <see cref="Utilisation"/>.
    /// </summary>
    public double? CapacityUse => Capacity is > 0 and var capacity && Answered > 0
        ? Math.Clamp(Throughput * (1 - (FromCache / (double)Answered)) / capacity, 0, 1) : null;

    /// <summary>Replicas or running instances, mean over time.</summary>
    public double ReplicasMean { get; init; }

    /// <summary>Most replicas or instances.</summary>
    public int ReplicasMost { get; init; }

    /// <summary>Seconds in which the promise was broken.</summary>
    public int BrokenSeconds { get; init; }

    /// <summary>The simulated time in pieces.</summary>
    public IReadOnlyList<Stretch> Pieces { get; init; } = [];

    /// <summary>Little's law, both sides: requests in the system; rate times time.</summary>
    public (double InSystem, double RateTimesTime) Little { get; init; }

    /// <summary>Goals, and whether each was kept.</summary>
    public IReadOnlyList<GoalVerdict> Goals { get; init; } = [];

    /// <summary>It has spot machines, and nobody knows how often those are taken back: that was not
    /// simulated.</summary>
    public bool InterruptionsUnknown { get; init; }

    /// <summary>It can be built, answers somebody, and keeps every goal.</summary>
    public bool IsFit => Infeasible.Count == 0 && Answered > 0 && Goals.All(g => g.Kept);

    /// <summary>The part of requests that were refused, dropped or lost.</summary>
    public double RefusedShare => Offered == 0 ? 0 : (Offered - Answered) / (double)Offered;
}

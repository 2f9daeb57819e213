using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;

namespace Spillway.Planner.Answers;

/// <summary>A candidate with a word on what became of it.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="IsBest">It is the recommended one.</param>
/// <param name="OnFrontier">No other candidate is better in everything.</param>
/// <param name="Reason">Why it is recommended, or why not.</param>
/// <param name="WouldHelp">For one that breaks a goal: what would have to change.</param>
public sealed record Judged(
    CandidateOutcome Outcome, bool IsBest, bool OnFrontier, string Reason, IReadOnlyList<string> WouldHelp);

/// <summary>The whole answer to a plan.</summary>
public sealed record PlanReport
{
    /// <summary>Which of the server's decisions a simulation takes, and which it does not.</summary>
    public const string Rules = "Decided by the server's own code on simulated time: queue, deadlines, early refusal "
        + "and batches (DeploymentFlow), the scaling policies, and which answer a full cache forgets; before upstreams "
        + "with policies or a route also chain, cache with its lifetime, retries, second copies, breakers, limits, "
        + "lines, rate limits and budgets. Not simulated: rollouts, checks of answers and classes of criticality. "
        + "Language models run by the rules of vLLM's scheduler; serverless sites and upstreams by the plan's figures.";

    /// <summary>What the use of a candidate is.</summary>
    public const string UseIs = "work done, as a part of what the ready replicas could do with full batches";

    /// <summary>The plan.</summary>
    public required Plan Plan { get; init; }

    /// <summary>What went wrong; null for an ordinary day.</summary>
    public string? WhatIf { get; init; }

    /// <summary>Every candidate that was run, in the order of the plan.</summary>
    public required IReadOnlyList<Judged> Candidates { get; init; }

    /// <summary>Candidates that were not run, because somebody ended the command.</summary>
    public required int NotRun { get; init; }

    /// <summary>The recommended one; null when none keeps the goals.</summary>
    public Judged? Best => Candidates.FirstOrDefault(c => c.IsBest);

    /// <summary>The recommendation in a sentence with its reason.</summary>
    public required string Sentence { get; init; }

    /// <summary>Judges outcomes.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="outcomes">In the order of its candidates.</param>
    /// <param name="notRun">Candidates without an outcome.</param>
    /// <param name="whatIf">The drill's name; null for none.</param>
    public static PlanReport Of(Plan plan, IReadOnlyList<CandidateOutcome> outcomes, int notRun, string? whatIf = null)
    {
        var best = Judgement.Best(outcomes);
        var frontier = Frontier.Of(outcomes);
        var words = new Judgement(plan, outcomes, best);
        return new()
        {
            Plan = plan, NotRun = notRun, WhatIf = whatIf, Sentence = words.Sentence(),
            Candidates =
            [
                .. outcomes.Select(o => new Judged(o, o == best, frontier.Contains(o), words.Reason(o),
                    words.WouldHelp(o))),
            ],
        };
    }
}

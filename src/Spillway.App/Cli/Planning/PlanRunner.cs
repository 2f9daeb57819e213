using Spillway.Planner.Answers;
using Spillway.Planner.Fleet;
using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;

namespace Spillway.App.Cli.Planning;

/// <summary>Simulates candidates side by side. Each is a world of its own, so that their order changes
/// nothing.</summary>
internal static class PlanRunner
{
    /// <summary>The outcomes in the order of the plan; without those that were not done when it was stopped.</summary>
    public static async Task<IReadOnlyList<CandidateOutcome>> RunAsync(
        Plan plan, Drill? drill, int jobs, PlanProgress progress, CancellationToken stop)
    {
        var outcomes = new CandidateOutcome?[plan.Candidates.Count];
        var next = -1;
        void Work()
        {
            for (int at; (at = Interlocked.Increment(ref next)) < outcomes.Length && !stop.IsCancellationRequested;)
            {
                var watch = new Watch(at, progress, stop);
                outcomes[at] = Outcome(plan, plan.Candidates[at], watch, drill);
                progress.Done(at);
            }
        }

        var count = Math.Min(jobs, outcomes.Length);
        await Task.WhenAll(Enumerable.Range(0, count).Select(_ => Task.Run(Work, CancellationToken.None)))
            .ConfigureAwait(false);
        progress.Clear();
        return [.. outcomes.OfType<CandidateOutcome>()];
    }

    /// <summary>A bug that one candidate meets is told in its line, and does not take the others' report.</summary>
    private static CandidateOutcome? Outcome(Plan plan, CandidateOptions candidate, IRunWatch watch, Drill? drill)
    {
        try
        {
            return Evaluation.Run(plan, candidate, watch, drill);
        }
        catch (Exception bug) when (bug is not OutOfMemoryException)
        {
            var variant = plan.Options.Variants[candidate.Variant];
            return new()
            {
                Candidate = candidate, Evidence = variant.Evidence, Quality = variant.Quality,
                Infeasible =
                [
                    $"its simulation failed, which is a bug of Spillway: {bug.GetType().Name}: {bug.Message}",
                ],
            };
        }
    }

    private sealed class Watch(int candidate, PlanProgress progress, CancellationToken stop) : IRunWatch
    {
        public bool GoOn(double share)
        {
            progress.Show(candidate, share);
            return !stop.IsCancellationRequested;
        }
    }
}

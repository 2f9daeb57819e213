using Spillway.Config;
using Spillway.Planner;
using Spillway.Planner.Routes;
using Spillway.Policies.Batching;
using Spillway.Policies.Chains;
using Spillway.Runtimes.Simulated;

namespace Spillway.Tests.Simulation;

/// <summary>
/// One chain, two interpreters: the live Engine's route on a manual clock plays a script; the virtual route gets only
/// the arrivals and how long each run took, and must take the same step for each request, for the same reasons.
/// </summary>
public sealed class RouteLiveAndVirtualTests
{
    private static readonly BatchingOptions s_batching = new()
    {
        QueueLengthMax = 12, BatchRowsMax = 4, SafetyFactor = 1.1,
    };

    private static readonly DeadlineOptions s_deadlines = new() { FixedMs = 60 };

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 16)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Both_interpreters_take_the_same_steps_for_the_same_reasons(int seed)
    {
        var (route, script) = (Route(seed), RouteScripted.Random(seed, spacing: 12_000, count: 150));
        using var live = new RouteLiveRun(route, Profiles(seed), s_batching, s_deadlines);
        var truth = Sorted(live.Play(script));
        Assert.Equal(truth, Sorted(Replay(live, route, script)));
        // The script is worth something only if it makes the chain choose.
        Assert.Contains(truth, c => c.Choices == "at 0: answered");
        Assert.Contains(truth, c => c.Choices.Contains("at 1: answered", StringComparison.Ordinal));
        Assert.Contains(truth, c => c.Choices.Contains("left 0", StringComparison.Ordinal));
        if (route.Chain.Steps[0].WhenPredictedWaitMs is not null)
            Assert.Contains(truth, c => c.Choices.Contains("avoided", StringComparison.Ordinal));
    }

    [Fact]
    public void An_altered_rule_is_found()
    {
        var (route, script) = (Route(2), RouteScripted.Random(seed: 2, spacing: 12_000, count: 150));
        using var live = new RouteLiveRun(route, Profiles(2), s_batching, s_deadlines);
        var truth = Sorted(live.Play(script));
        Assert.Equal(truth, Sorted(Replay(live, route, script)));
        Assert.NotEqual(truth, Sorted(Replay(live, route with { Chain = route.Chain with { HoldMs = 0 } }, script)));
        Assert.NotEqual(truth, Sorted(Replay(live, Route(1), script)));
        Assert.NotEqual(truth, Sorted(Replay(live, route with { DeadlineMs = 15 }, script)));
    }

    private static List<RouteChoices> Replay(
        RouteLiveRun live, RouteOptions route, IReadOnlyList<RouteScripted> script)
    {
        var calendar = new Calendar();
        var models = live.Models.ToDictionary(m => m.Name, m => (IStepWorld)new DeploymentStep(
            LiveRun.MakeFlow(s_batching, s_deadlines, m.Loaded.Traits.DeclaredCurve!, m.Runners, buckets: null),
            RouteLiveModel.RouteOf(m.Name), new JournalTimes(m.Journal), calendar));
        var world = new RouteWorld("r", route, models, calendar, seed: 1);
        foreach (var request in script)
            world.Arrive(request.Id, request.At, new(0) { Timeout = request.Timeout });
        calendar.Run();
        return [.. world.Answers.Select(a => RouteChoices.Of(a.Id, a.Fault?.Kind, a.Step, a.Avoided, a.Left))];
    }

    private static RouteChoices[] Sorted(IEnumerable<RouteChoices> choices) =>
        [.. choices.OrderBy(c => c.Id, StringComparer.Ordinal)];

    /// <summary>Odd seeds have no bound of the predicted wait; every third ends with a message.</summary>
    private static RouteOptions Route(int seed)
    {
        List<ChainStepOptions> steps =
        [
            new() { Model = "a", WhenPredictedWaitMs = seed % 2 == 0 ? 9 : null, TimeoutMs = 20 },
            new() { Model = "b" },
        ];
        if (seed % 3 == 0)
            steps.Add(new() { Kind = ChainStepKind.Message, Message = "busy" });
        return new() { DeadlineMs = 45, Chain = new() { Steps = steps, HoldMs = 10 } };
    }

    private static (string Name, SimulatedOptions Profile)[] Profiles(int seed) =>
        [("a", Profile(5.0003, 9.0011, seed)), ("b", Profile(3.0007, 6.0009, seed + 100))];

    private static SimulatedOptions Profile(double one, double four, int seed) => new()
    {
        Inputs = new Dictionary<string, string> { ["x"] = "FP32 [-1,1]" },
        Outputs = new Dictionary<string, string> { ["y"] = "FP32 [-1,1]" },
        LatencyMs = new Dictionary<int, double> { [1] = one, [4] = four },
        Jitter = 0.2, Seed = seed,
    };
}

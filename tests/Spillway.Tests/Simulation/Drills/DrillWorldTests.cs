using Spillway.App.Cli.Drills;
using Spillway.Planner.Routes;
using Spillway.Policies.Drills;
using Xunit.Abstractions;

namespace Spillway.Tests.Simulation.Drills;

/// <summary>
/// The drills of the command line on virtual time, over the policies of production, with the same measures and the same
/// promises. A full disk is no part of this world: its drill runs on a live server.
/// </summary>
public sealed class DrillWorldTests(ITestOutputHelper output)
{
    private const double From = DrillWorld.FromMs;
    private const double To = DrillWorld.ToMs;

    private static readonly string[] s_demo = ["line", "half", "cached", "message"];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 8)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Each_step_that_fails_is_taken_over_by_the_next_and_nobody_is_refused(int seed)
    {
        var world = new DrillWorld(seed, s_demo);
        world.Send(16).When(From, () => world.Route.BrokenSteps = 0b0001)
            .When(From + 3000, () => world.Route.BrokenSteps = 0b0011)
            .When(From + 6000, () => world.Route.BrokenSteps = 0b0111)
            .When(To, () => world.Route.BrokenSteps = 0).Run();
        Assert.Equal("half", Assert.Single(world.Stretch(From, From + 3000).By).Key);
        Assert.Equal("message", Assert.Single(world.Stretch(From + 3000, From + 6000).By).Key);
        Assert.Equal("message", Assert.Single(world.Stretch(From + 6000, To).By).Key);
        Assert.Equal(world.Broken.Sent, world.Broken.Degraded);
        Promises(DrillKind.Steps, world);
        Assert.InRange(world.EffectMs!.Value, 0, 500);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Remembered_answer_is_given_when_all_models_fail_and_it_is_past_its_time(int seed)
    {
        var world = new DrillWorld(seed, s_demo, r => r with
        {
            Cache = new() { Enabled = true, TtlMs = 50, StaleIfErrorMs = 60_000 },
        });
        world.Send(40, questions: 5).When(From, () => world.Route.BrokenSteps = 0b0011)
            .When(To, () => world.Route.BrokenSteps = 0).Run();
        Assert.Contains("cached", world.Broken.By.Keys);
        Assert.DoesNotContain("message", world.Broken.By.Keys);
        Promises(DrillKind.Steps, world);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Dead_target_of_three_costs_nobody_the_full_answer_and_few_second_attempts(int seed)
    {
        var world = new DrillWorld(seed, ["gpu", "small"]);
        world.Send(60).When(From, () => world.Targets[0].State = TargetState.Dead)
            .When(To, () => world.Targets[0].State = TargetState.Well).Run();
        Promises(DrillKind.TargetDead, world);
        Assert.True(world.Broken.Full >= 0.99 * world.Broken.Sent, $"{world.Broken.Full} of {world.Broken.Sent}");
        Assert.True(world.CallsPerRequestMost() <= 1.2, $"{world.CallsPerRequestMost():0.000} calls a request");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Target_that_hangs_is_left_alone_before_many_wait_for_it(int seed)
    {
        var world = new DrillWorld(seed, ["gpu", "small"], upstream: new() { FirstDeltaMs = 100 });
        world.Send(60).When(From, () => world.Targets[0].State = TargetState.Hangs)
            .When(To, () => world.Targets[0].State = TargetState.Well).Run();
        Promises(DrillKind.TargetDead, world);
        Assert.True(world.Broken.P95Ms < 200, $"p95 {world.Broken.P95Ms} ms");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void With_the_only_upstream_dead_the_next_step_answers_and_it_is_not_stormed(int seed)
    {
        var world = new DrillWorld(seed, ["gpu", "small"]);
        world.Send(60).When(From, () => All(world, TargetState.Dead))
            .When(To, () => All(world, TargetState.Well)).Run();
        Promises(DrillKind.TargetDead, world);
        Assert.True(world.Broken.By["small"] > 0.9 * world.Broken.Sent);
        var calls = world.Gpu.CalledAt.Count(at => Ms(at) >= From + 1000 && Ms(at) < To);
        Assert.True(calls <= 0.2 * world.Broken.Sent, $"{calls} calls for {world.Broken.Sent} requests");
        Assert.True(world.CallsPerRequestMost() <= 1.2, $"{world.CallsPerRequestMost():0.000} calls a request");

        static void All(DrillWorld world, TargetState state)
        {
            foreach (var target in world.Targets)
                target.State = state;
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Slow_target_gets_less_and_the_others_are_as_quick_as_before(int seed)
    {
        var world = new DrillWorld(seed, ["gpu", "small"]);
        var (slow, calls) = (world.Targets[0], new long[2]);
        world.Send(60)
            .When(From, () => (slow.Delay, calls[0]) = (TimeSpan.FromMilliseconds(150), slow.Calls))
            .When(To, () => (slow.Delay, calls[1]) = (TimeSpan.Zero, slow.Calls)).Run();
        Promises(DrillKind.TargetSlow, world);
        Assert.True(
            world.Broken.P50Ms < 1.2 * world.Before.P50Ms, $"{world.Broken.P50Ms} against {world.Before.P50Ms} ms");
        var share = (calls[1] - calls[0]) / (double)world.Broken.Sent;
        Assert.True(share < 0.25, $"the slow one got {share:P0}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Throttled_target_is_asked_again_no_sooner_than_it_said(int seed)
    {
        var world = new DrillWorld(seed, ["gpu", "small"]);
        var (busy, calls) = (world.Targets[0], new long[2]);
        world.Send(60).When(From, () => (busy.State, calls[0]) = (TargetState.Throttled, busy.Calls))
            .When(To, () => (busy.State, calls[1]) = (TargetState.Well, busy.Calls)).Run();
        Promises(DrillKind.TargetThrottled, world);
        // Ten seconds of a wait of one second each; those that were on their way with the first come on top.
        Assert.InRange(calls[1] - calls[0], 1, 15);
        Assert.True(world.Broken.Full >= 0.95 * world.Broken.Sent);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Killed_replica_sends_its_requests_to_another_model_and_all_is_well_when_it_is_back(int seed)
    {
        var world = new DrillWorld(seed, ["line", "small", "message"]);
        world.Send(16).When(From, world.Line.KillReplica).When(To, world.Line.ReviveReplica).Run();
        Promises(DrillKind.Replica, world);
        Assert.True(world.Broken.By["small"] > 0, "Nobody met the killed replica.");
        Assert.DoesNotContain("message", world.Broken.By.Keys);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Ten_times_the_traffic_is_answered_with_the_chain_and_not_without(int seed)
    {
        var (chain, plain) = (Spike(s_demo), Spike(["line"]));
        Promises(DrillKind.Spike, chain);
        Assert.True(plain.Broken.Answered < 0.5, $"{plain.Broken.Answered:P1} without the chain");
        // Not by the message alone: the models carry what two replicas can.
        var models = (chain.Broken.By.GetValueOrDefault("line") + chain.Broken.By["half"]) / (double)chain.Broken.Sent;
        Assert.True(models > 0.5, $"{models:P1} by a model");
        Assert.True(chain.Broken.P99Ms <= 400, $"p99 {chain.Broken.P99Ms} ms");
        output.WriteLine($"with the chain {chain.Broken.Answered:P1} ({models:P1} by a model), without "
            + $"{plain.Broken.Answered:P1}; as before after {chain.RecoveryMs} ms and {plain.RecoveryMs} ms");

        DrillWorld Spike(IReadOnlyList<string> steps) =>
            new DrillWorld(seed, steps).Send(16, 0, From).Send(160, From, To).Send(16, To).Run();
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Emptied_cache_asks_each_question_once_and_fills_again(int seed)
    {
        const int questions = 6;
        var world = new DrillWorld(seed, ["line", "small"], r => r with { Cache = new() { Enabled = true } });
        long before = 0, soon = 0;
        world.Send(200, questions: questions)
            .When(From, () =>
            {
                before = world.Line.Calls;
                world.Route.Memory!.Clear();
            })
            .When(From + 2000, () => soon = world.Line.Calls).Run();
        Promises(DrillKind.Cache, world);
        // Two hundred requests a second to a model of 66: without the single flight it would be three times its rate.
        Assert.InRange(soon - before, questions, questions + 2);
        Assert.Equal(world.Broken.Sent, world.Broken.Full);
    }

    [Fact]
    public void The_same_seed_gives_the_same_decisions()
    {
        Assert.Equal(Once(), Once());

        static IReadOnlyList<DrillSample> Once()
        {
            var world = new DrillWorld(3, ["gpu", "line", "message"], r => r with { Cache = new() { Enabled = true } });
            return world.Send(80, questions: 500).When(From, () => world.Targets[1].State = TargetState.Dead)
                .When(From + 500, () => world.Targets[2].State = TargetState.Throttled)
                .When(To, () => world.Targets[1].State = TargetState.Well).Run().Samples;
        }
    }

    private static double Ms(Instant at) => at.Ticks / (double)TimeSpan.TicksPerMillisecond;

    private void Promises(DrillKind kind, DrillWorld world)
    {
        var counts = new DrillCounts(world.Gpu.Calls, world.Gpu.Retries, 0, 0);
        var promises = DrillJudge.Judge(kind, [world.Before, world.Broken, world.After], world.RecoveryMs, counts);
        foreach (var promise in promises)
            output.WriteLine($"{(promise.Held ? "held" : "BROKEN")} {promise.Name}: {promise.Seen}");
        Assert.All(promises, p => Assert.True(p.Held, $"{p.Name}: {p.Seen}"));
    }
}

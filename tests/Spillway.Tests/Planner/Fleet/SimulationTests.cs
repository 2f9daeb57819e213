using Spillway.Planner.Answers;
using Spillway.Planner.Fleet;
using Spillway.Planner.Outcomes;
using Spillway.Tests.Planner.Plans;

namespace Spillway.Tests.Planner.Fleet;

/// <summary>Whole candidates on virtual time. That a run ends at all says that its laws held: each asserts
/// them.</summary>
public sealed class SimulationTests
{
    private static readonly (string From, string To) s_long =
        ("durationSeconds: 120", "durationSeconds: 300\ndrills: { forSeconds: 60 }");

    [Fact]
    public void The_network_is_twice_the_distance_and_the_bytes_and_an_idle_site_answers_in_its_own_time()
    {
        var o = Run(("ratePerSecond: 40, regions: { eu: 3, us: 1 }",
            "ratePerSecond: 1, bytesIn: 6250, bytesOut: 0, regions: { eu: 1 }"),
            ("source: a test\n    quality", "source: a test\n    runSpread: 0\n    quality"));
        // 5 ms each way; 6,250 bytes at 50 Mbit/s take 1 ms.
        Assert.Equal(11, o.Stages[(int)PlanStage.Network].P50Ms, 0.1);
        Assert.Equal(20, o.Stages[(int)PlanStage.Execute].P50Ms, 0.2);
        Assert.Equal(31, o.Total.P50Ms, 0.3);
        Assert.Equal(o.Offered, o.Answered);
    }

    [Fact]
    public void Each_region_uses_its_nearest_site()
    {
        var near = Run(SmallPlan.Also("""
              - name: two
                variant: good
                sites: { here: { machine: small, replicas: 2 }, there: { machine: small, replicas: 2 } }
            """), candidate: "two");
        Assert.Equal(10, near.Stages[(int)PlanStage.Network].P99Ms, 1.0);
    }

    [Fact]
    public void A_bill_is_the_hours_of_its_machines_and_the_bytes_that_left()
    {
        var o = Run(("workloads:\n  - { name: people,", "workloads:\n  - { name: people, bytesOut: 1000000,"),
            candidate: "two");
        var machines = Assert.Single(o.Costs, l => l.Unit == "hours");
        Assert.InRange(machines.Quantity, 2 * 120 / 3600m, 2 * 121 / 3600m);
        Assert.Equal(0.10m, machines.Price);
        var egress = Assert.Single(o.Costs, l => l.What == "egress");
        Assert.InRange(egress.Quantity, 40 * 120 * 0.001m * 0.9m, 40 * 120 * 0.001m * 1.1m);
        Assert.Equal(o.Bill, o.Costs.Aggregate(Money.Zero, (sum, l) => sum + l.Amount));
    }

    [Fact]
    public void Overload_is_refused_early_and_what_is_answered_stays_in_time()
    {
        var o = Run(("ratePerSecond: 40", "ratePerSecond: 300"));
        Assert.InRange(o.RefusedShare, 0.5, 0.8);
        Assert.True(o.Stages[(int)PlanStage.Queue].P99Ms < 250, $"queue p99 {o.Stages[(int)PlanStage.Queue].P99Ms} ms");
        Assert.InRange(o.Utilisation!.Value, 0.97, 1);
        Assert.False(o.IsFit);
    }

    [Fact]
    public void A_site_scaled_to_zero_makes_the_first_one_wait_for_a_machine_and_its_model()
    {
        var o = Run(("ratePerSecond: 40", "ratePerSecond: 0.02, deadlineMs: 60000"),
            ("warmUpSeconds: 10", "warmUpSeconds: 0"),
            ("durationSeconds: 120", "durationSeconds: 3600"),
            ("sites: { here: { machine: small, replicas: 1 } }",
                "sites: { here: { machine: small, replicas: 0, scaling: { policy: scale-to-zero, replicasMin: 0, "
                    + "replicasMax: 2 } } }"));
        Assert.True(o.ColdStarts > 0);
        // 5 s of provisioning and 2 s of loading.
        Assert.InRange(o.Stages[(int)PlanStage.ColdStart].P99Ms, 6_000, 7_500);
        Assert.True(o.ReplicasMean < 1);
    }

    [Fact]
    public void A_target_of_utilisation_orders_replicas_in_a_spike_and_gives_them_back()
    {
        var o = Run(("ratePerSecond: 40", "ratePerSecond: 20, spike: { atSecond: 100, factor: 12, forSeconds: 200 }"),
            ("durationSeconds: 120", "durationSeconds: 900"),
            ("sites: { here: { machine: small, replicas: 1 } }",
                "sites: { here: { machine: small, replicas: 1, scaling: { policy: utilisation, replicasMax: 8, "
                    + "target: { scaleInAfterMs: 60000 } } } }"));
        Assert.InRange(o.ReplicasMost, 3, 8);
        Assert.True(o.Pieces[^1].Ready < o.ReplicasMost, $"{o.Pieces[^1].Ready} of {o.ReplicasMost} at the end");
        Assert.Equal(1, o.Pieces[5].Ready);
    }

    [Fact]
    public void A_function_starts_cold_once_an_instance_and_is_paid_by_the_millisecond()
    {
        var o = Run(SmallPlan.Also("""
              - name: two
                variant: good
                sites: { functions: { serverless: { memoryGb: 3 } } }
            """), ("ratePerSecond: 40", "ratePerSecond: 5"), ("warmUpSeconds: 10", "warmUpSeconds: 0"),
            candidate: "two");
        Assert.InRange(o.ColdStarts, 1, 20);
        var time = Assert.Single(o.Costs, l => l.What == "running time");
        Assert.InRange(time.Quantity, (o.Answered * 0.057m * 3) + (o.ColdStarts * 2 * 3m), (o.Answered * 0.064m * 3)
            + (o.ColdStarts * 2 * 3m));
        Assert.InRange(o.Stages[(int)PlanStage.ColdStart].P99Ms, 0, 2_320);
    }

    [Fact]
    public void A_function_beyond_its_platform_s_memory_is_infeasible_and_says_why()
    {
        var o = Run(SmallPlan.Also("""
              - name: two
                variant: good
                sites: { functions: { serverless: { memoryGb: 16 } } }
            """), candidate: "two");
        Assert.Contains("at most 10 GB", Assert.Single(o.Infeasible), StringComparison.Ordinal);
        Assert.False(o.IsFit);
    }

    [Fact]
    public void Repeats_are_answered_from_the_cache_of_the_site()
    {
        var o = Run(("workloads:\n  - { name: people,",
            "workloads:\n  - { name: people, repeats: { distinct: 500, zipf: 1 },"),
            SmallPlan.Also("""
              - name: two
                variant: good
                cacheEntries: 500
                sites: { here: { machine: small, replicas: 2 } }
            """), candidate: "two");
        Assert.InRange(o.FromCache / (double)o.Answered, 0.7, 1);
    }

    [Fact]
    public void An_upstream_is_paid_by_the_token_and_refuses_beyond_its_limit()
    {
        var o = Run(SmallPlan.Also("""
              - name: two
                variant: good
                sites: { others: {} }
            """), ("workloads:\n  - { name: people,",
            "workloads:\n  - { name: people, tokensIn: { mean: 100 }, tokensOut: { mean: 10 },"),
            ("upstream: { firstMs: 50,", "upstream: { firstMs: 50, perTokenMs: 5, requestsPerMinuteMax: 1200,"),
                candidate: "two");
        Assert.True(o.Faults[FaultKind.UpstreamThrottled] > 0);
        Assert.Equal(100m * o.Costs[0].Quantity / 100m, o.Costs[0].Quantity);
        Assert.Equal(10 * o.Costs[1].Quantity, o.Costs[0].Quantity);
        Assert.NotNull(o.FirstToken);
        Assert.InRange(o.PerToken!.Value.MeanMs, 3, 7);
    }

    [Theory]
    [InlineData("spike-10x")]
    [InlineData("cold-start-9am")]
    [InlineData("lose-node")]
    [InlineData("lose-region")]
    [InlineData("upstream-429")]
    [InlineData("spot-interruption")]
    [InlineData("empty-cache")]
    public void Every_drill_runs_to_its_end_with_all_laws_kept(string name)
    {
        var plan = SmallPlan.Read(s_long, SmallPlan.Also("""
              - name: two
                variant: good
                cacheEntries: 100
                sites:
                  here:
                    machine: small
                    replicas: 2
                    purchase: spot
                    scaling: { policy: queue, replicasMin: 1, replicasMax: 6 }
                  there: { machine: small, replicas: 2 }
            """));
        foreach (var candidate in plan.Candidates)
            Assert.NotNull(Evaluation.Run(plan, candidate, drill: Drill.Find(name)));
    }

    [Fact]
    public void A_lost_region_breaks_the_promise_unless_another_site_takes_its_users()
    {
        var plan = SmallPlan.Read(s_long, SmallPlan.Also("""
              - name: two
                variant: good
                sites: { here: { machine: small, replicas: 2 }, there: { machine: small, replicas: 2 } }
            """));
        var one = Evaluation.Run(plan, plan.Candidates[0], drill: Drill.Find("lose-region"))!;
        var two = Evaluation.Run(plan, plan.Candidates[1], drill: Drill.Find("lose-region"))!;
        Assert.InRange(one.BrokenSeconds, 55, 90);
        Assert.InRange(two.RefusedShare, 0, 0.01);
    }

    [Fact]
    public void A_lost_node_is_a_loss_of_what_it_held_and_not_more()
    {
        var plan = SmallPlan.Read(("durationSeconds: 120", "durationSeconds: 300"));
        var calm = Evaluation.Run(plan, plan.Candidates[1])!;
        var lost = Evaluation.Run(plan, plan.Candidates[1], drill: Drill.Find("lose-node"))!;
        Assert.InRange(lost.Offered - lost.Answered - (calm.Offered - calm.Answered), 0, 40);
        Assert.Equal(1, lost.Pieces[49].Ready);
        Assert.Equal(2, lost.Pieces[70].Ready);
    }

    private static CandidateOutcome Run(params (string From, string To)[] changes) => Run(changes, "one");

    private static CandidateOutcome Run((string From, string To) change, string candidate) => Run([change], candidate);

    private static CandidateOutcome Run((string From, string To) first, (string From, string To) second,
        string candidate) =>
        Run([first, second], candidate);

    private static CandidateOutcome Run(
        (string From, string To) first, (string From, string To) second, (string From, string To) third,
            string candidate) =>
        Run([first, second, third], candidate);

    private static CandidateOutcome Run((string From, string To)[] changes, string candidate)
    {
        var plan = SmallPlan.Read(changes);
        return Evaluation.Run(plan, plan.Candidates.Single(c => c.Name == candidate))!;
    }
}

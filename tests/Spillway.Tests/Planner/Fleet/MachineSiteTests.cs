using Spillway.Planner.Answers;
using Spillway.Planner.Fleet;
using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;
using Spillway.Planner.Workloads;
using Spillway.Tests.Planner.Plans;

namespace Spillway.Tests.Planner.Fleet;

/// <summary>Replicas that come, go and are paid for, and callers that do not wait for ever.</summary>
public sealed class MachineSiteTests
{
    private const string One = "sites: { here: { machine: small, replicas: 1 } }";

    [Fact]
    public void A_fixed_number_of_replicas_replaces_a_lost_one()
    {
        var plan = SmallPlan.Read(("durationSeconds: 120", "durationSeconds: 300"), (One,
            "sites: { here: { machine: small, replicas: 2, scaling: { policy: fixed, replicasMin: 2 } } }"));
        var lost = Evaluation.Run(plan, plan.Candidates[0], drill: Drill.Find("lose-node"))!;
        Assert.Equal(1, lost.Pieces[49].Ready);
        Assert.Equal(2, lost.Pieces[70].Ready);
    }

    [Fact]
    public void Reserved_machines_are_paid_all_the_time_and_what_goes_beyond_them_on_demand()
    {
        var o = Run(("ratePerSecond: 40", "ratePerSecond: 20, spike: { atSecond: 100, factor: 12, forSeconds: 200 }"),
            ("durationSeconds: 120", "durationSeconds: 900"), (One, "sites: { here: { machine: small, replicas: 1, "
                + "purchase: reserved, scaling: { policy: utilisation, replicasMax: 8, "
                + "target: { scaleInAfterMs: 60000 } } } }"));
        var lines = o.Costs.Where(l => l.Unit == "hours").ToList();
        Assert.Equal([0.06m, 0.10m], lines.Select(l => l.Price));
        Assert.InRange(lines[0].Quantity, 900 / 3600m, 902 / 3600m);
        // One at all times, and whatever was live beyond it.
        Assert.Equal(o.ReplicasMean, (double)((lines[0].Quantity + lines[1].Quantity) / lines[0].Quantity), 3);
        Assert.True(lines[1].Quantity > 0.05m, $"{lines[1].Quantity} hours beyond");
    }

    [Fact]
    public void Who_waits_for_a_first_replica_leaves_when_the_patience_ends()
    {
        var o = Run(("ratePerSecond: 40", "ratePerSecond: 0.02, deadlineMs: 3000"), ("warmUpSeconds: 10",
            "warmUpSeconds: 0"), ("durationSeconds: 120", "durationSeconds: 3600"), (One,
            "sites: { here: { machine: small, replicas: 0, scaling: { policy: scale-to-zero, replicasMin: 0, "
                + "replicasMax: 2 } } }"));
        Assert.True(o.Faults[FaultKind.DeadlineExceeded] > 0);
        // 5 s of provisioning and 2 s of loading are more than they wait, so no start found somebody waiting still.
        Assert.Equal(0, o.Stages[(int)PlanStage.ColdStart].P99Ms);
    }

    [Fact]
    public void A_start_that_many_wait_for_is_one_cold_start()
    {
        var o = Run(("ratePerSecond: 40, regions", "ratePerSecond: 20, deadlineMs: 60000, regions"),
            ("warmUpSeconds: 10", "warmUpSeconds: 0"), (One,
            "sites: { here: { machine: small, replicas: 0, scaling: { policy: scale-to-zero, replicasMin: 0, "
                + "replicasMax: 2 } } }"));
        Assert.InRange(o.ColdStarts, 1, 3);
    }

    [Fact]
    public void A_function_that_runs_too_long_is_cut_off_and_one_that_always_would_is_infeasible()
    {
        var also = SmallPlan.Also("""
              - name: two
                variant: good
                sites: { functions: { serverless: { memoryGb: 3, concurrencyMax: 5000 } } }
            """);
        var prices = SmallPlan.Prices.Replace("durationSecondsMax: 900", "durationSecondsMax: 0.1",
            StringComparison.Ordinal);
        var cut = Read(("ratePerSecond: 40,", "ratePerSecond: 10, size: { mean: 1, variation: 1 },"));
        Assert.InRange(Evaluation.Run(cut, cut.Candidates[1])!.Faults[FaultKind.UpstreamTimeout], 20, 500);
        var bounded = Read(("ratePerSecond: 40,", "ratePerSecond: 10, size: { mean: 1, variation: 1, max: 4 },"));
        Assert.Contains("size 4", Assert.Single(Evaluation.Run(bounded, bounded.Candidates[1])!.Infeasible),
            StringComparison.Ordinal);
        // A hundred at once is what the platform gives, whatever the place asks for: 100 / 60 ms.
        Assert.Equal(100 / 0.06, Fleets.Capacity(cut, cut.Candidates[1])!.Value, 1);

        Plan Read((string From, string To) change)
        {
            var result = SmallPlan.Result(prices, [also, change]);
            Assert.Empty(result.Errors);
            return result.Plan!;
        }
    }

    [Fact]
    public void A_spike_squeezes_a_recorded_time()
    {
        var trace = new RecordedTrace([.. Enumerable.Range(0, 100).Select(i => i * TimeSpan.TicksPerSecond)],
            null, null, null, null);
        var stream = new TraceStream(new() { Size = new() { Mean = 1 } }, trace, (0, 1), 1000, seed: 1,
            new() { AtSecond = 10, ForSeconds = 2, Factor = 10 });
        var times = new List<double>();
        while (stream.Next(out var arrival))
            times.Add(arrival.At.Ticks / (double)TimeSpan.TicksPerSecond);
        Assert.Equal(100, times.Count);
        Assert.Equal(20, times.Count(t => t is >= 10 and < 12));
        Assert.Equal(81, times[^1], 6);
    }

    [Fact]
    public void Means_over_workloads_count_each_as_often_as_it_asks()
    {
        var plan = SmallPlan.Read(("workloads:", "workloads:\n  - { name: few, arrivals: poisson, ratePerSecond: 10, "
            + "size: { mean: 6 } }"));
        Assert.Equal(2.0, Spillway.Planner.Fleet.Capacity.MeanSize(plan), 9);
    }

    private static CandidateOutcome Run(params (string From, string To)[] changes)
    {
        var plan = SmallPlan.Read(changes);
        return Evaluation.Run(plan, plan.Candidates[0])!;
    }
}

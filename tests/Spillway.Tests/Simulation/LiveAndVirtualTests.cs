using Spillway.Flow;
using Spillway.Planner;
using Spillway.Policies.Batching;
using Spillway.Runtimes.Simulated;

namespace Spillway.Tests.Simulation;

/// <summary>
/// One flow, two interpreters: the live Engine on a manual clock plays a script; the virtual world gets only the
/// arrivals, the leavings and how long each run took, and must decide the same, in the same order.
/// </summary>
public sealed class LiveAndVirtualTests
{
    private static readonly BatchingOptions s_batching = new()
    {
        QueueLengthMax = 12, BatchRowsMax = 8, PriorityAgeingMs = 15, SafetyFactor = 1.1,
    };

    private static readonly DeadlineOptions s_deadlines = new() { FixedMs = 60 };

    public static TheoryData<int, string> Scripts
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var profile in new[] { "gains", "flat", "short", "waits", "two devices", "lengths", "longest" })
            {
                for (var seed = 1; seed <= 12; seed++)
                    data.Add(seed, profile);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Both_interpreters_decide_the_same_in_the_same_order(int seed, string profile)
    {
        var batching = profile == "waits" ? s_batching with { BatchWaitMs = 7 } : s_batching;
        var script = Scripted.Random(seed, profile == "short" ? 500 : 25_000, count: 150, "r");
        var buckets = Buckets(profile);
        if (buckets is not null)
            script = [.. script.Select((s, i) => s with { Claim = Long(s.Claim, new Random((1000 * seed) + i)) })];
        using var live = new LiveRun(Profile(profile, seed), batching, s_deadlines, buckets);
        var answers = live.Play(script);
        var (journal, world) = Replay(live, script, batching, buckets: buckets);

        AssertSame(Lines(live.Journal), Lines(journal));
        Assert.Equal(
            answers.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => (a.Key, a.Value?.Kind)),
            world.Answers.OrderBy(a => a.Id, StringComparer.Ordinal).Select(a => (a.Id, a.Fault?.Kind)));
        // The script is worth something only if it makes the flow decide.
        Assert.Contains(live.Journal.Events, e => e.Kind is FlowEventKind.Batch && e.Number > 1 || profile is "flat" or "two devices");
        Assert.Contains(live.Journal.Events, e => e.Kind is FlowEventKind.Refused);
        Assert.Equal(
            buckets is not null,
            live.Journal.Events.Any(e => e.Reason.Contains("length", StringComparison.Ordinal)));
        Assert.Equal(profile is "lengths" or "longest", world.PaddingRun > 0);
        Assert.Contains(live.Journal.Events, e => e.Kind is FlowEventKind.Cancelled);
    }

    [Fact]
    public void An_altered_rule_is_found()
    {
        var script = Scripted.Random(seed: 1, spacing: 25_000, count: 150, "r");
        using var live = new LiveRun(Profile("gains", 1), s_batching, s_deadlines);
        live.Play(script);
        var truth = Lines(live.Journal);
        Assert.Equal(truth, Lines(Replay(live, script, s_batching).Journal));

        var arrivalOrder = new ArrivalOrder(s_batching.QueueLengthMax, TimeSpan.FromMilliseconds(s_batching.PriorityAgeingMs));
        Assert.NotEqual(truth, Lines(Replay(live, script, s_batching, arrivalOrder).Journal));
        Assert.NotEqual(truth, Lines(Replay(live, script, s_batching with { SafetyFactor = 1.3 }).Journal));
        Assert.NotEqual(truth, Lines(Replay(live, script, s_batching with { QueueLengthMax = 4 }).Journal));
    }

    private static (FlowJournal Journal, World World) Replay(
        LiveRun live, IReadOnlyList<Scripted> script, BatchingOptions batching, WaitingLine? line = null,
        ShapeBuckets? buckets = null)
    {
        var journal = new FlowJournal();
        var flow = LiveRun.MakeFlow(
            batching, s_deadlines, live.Model.Traits.DeclaredCurve!, live.Runners.Count, buckets, line);
        var world = new World(flow, LiveRun.ReadyRoute, new JournalTimes(live.Journal), journal);
        foreach (var request in script)
            world.Arrive(request.Id, request.At, request.Claim, request.Leaves);
        world.Run();
        return (journal, world);
    }

    private static void AssertSame(string[] live, string[] virtually)
    {
        var at = Enumerable.Range(0, Math.Min(live.Length, virtually.Length)).FirstOrDefault(i => live[i] != virtually[i], -1);
        if (at >= 0)
            Assert.Fail($"They part at decision {at}:\n{string.Join('\n', live[Math.Max(0, at - 4)..(at + 1)])}\nvirtually:\n{virtually[at]}");
        Assert.Equal(live.Length, virtually.Length);
    }

    private static string[] Lines(FlowJournal journal) => [.. journal.Events.Select(e => e.ToString())];

    private static ShapeBuckets? Buckets(string profile) => profile is "lengths" or "longest"
        ? new([100, 200, 400], wasteMax: 0.5, toLongest: profile == "longest") : null;

    /// <summary>The same request with a length; some are too short or too long for any bucket.</summary>
    private static Claim Long(in Claim claim, Random random)
    {
        var length = random.Next(30, 450);
        return claim with { Length = length, Elements = claim.Rows * length };
    }

    private static SimulatedOptions Profile(string name, int seed) => new()
    {
        Inputs = new Dictionary<string, string> { ["x"] = "FP32 [-1,1]" },
        Outputs = new Dictionary<string, string> { ["y"] = "FP32 [-1,1]" },
        LatencyMs = name switch
        {
            "flat" => new Dictionary<int, double> { [1] = 4.0007, [2] = 8.0013 },
            "two devices" => new Dictionary<int, double> { [1] = 9.0007, [2] = 18.0013 },
            "short" => new Dictionary<int, double> { [1] = 0.3001, [8] = 0.9007 },
            _ => new Dictionary<int, double> { [1] = 5.0003, [8] = 9.0011 },
        },
        Jitter = 0.2, Seed = seed, Devices = name == "two devices" ? 2 : 1,
    };

    /// <summary>The altered rule: whoever came first goes first.</summary>
    private sealed class ArrivalOrder(int capacity, TimeSpan ageing) : WaitingLine(capacity, ageing)
    {
        protected override bool Precedes(in Entry a, in Entry b) => a.Sequence < b.Sequence;
    }
}

using Spillway.Flow;
using Spillway.Planner;
using Spillway.Policies.Batching;
using Spillway.Runtimes.Simulated;

namespace Spillway.Tests.Simulation;

/// <summary>
/// Two or three live deployments that share a device, and as many worlds on one calendar: given the same arrivals,
/// leavings and run times, each deployment makes the same decisions in the same order.
/// </summary>
public sealed class SharedLiveAndVirtualTests
{
    private static readonly BatchingOptions s_batching = new()
    {
        QueueLengthMax = 12, BatchRowsMax = 8, PriorityAgeingMs = 15, SafetyFactor = 1.1,
    };

    private static readonly DeadlineOptions s_deadlines = new() { FixedMs = 90 };
    private const int Requests = 80;

    private static readonly Dictionary<string, int> s_groups = new() { ["one"] = 1 };

    public static TheoryData<int, string> Scripts
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var profile in new[] { "gains", "two turns", "short", "waits", "group" })
            {
                for (var seed = 1; seed <= 6; seed++)
                    data.Add(seed, profile);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Deployments_on_one_device_decide_the_same_live_and_on_virtual_time(int seed, string profile)
    {
        var batching = profile == "waits" ? s_batching with { BatchWaitMs = 7 } : s_batching;
        var parts = Parts(profile, seed);
        using var live = new SharedLiveRun(parts, batching, s_deadlines, s_groups);
        live.Play();

        var (calendar, device) = (new Calendar(), new DeviceFlow(s_groups));
        List<FlowJournal> journals = [];
        for (var i = 0; i < parts.Count; i++)
        {
            var (house, journal) = (live.Houses[i], new FlowJournal());
            var curve = house.Model.Traits.DeclaredCurve!;
            var flow = new DeploymentFlow(batching, s_deadlines, curve, elementsPerRow: 1, house.Runners);
            var world = new World(flow, house.Route, new JournalTimes(house.Journal), journal, calendar);
            world.Share(device, parts[i].Sharing, house.Runners);
            foreach (var request in parts[i].Script)
                world.Arrive(request.Id, request.At, request.Claim, request.Leaves);
            journals.Add(journal);
        }

        calendar.Run();
        for (var i = 0; i < parts.Count; i++)
            AssertSame(Lines(live.Houses[i].Journal), Lines(journals[i]), i);
        Assert.Equal(0, device.Running);
        Assert.Equal(0, device.Waiting);
        // The script is worth something only if they get into each other's way.
        Assert.Contains(live.Houses, h => h.Journal.Events.Any(e => e.Kind is FlowEventKind.Granted));
        if (profile != "short")
            Assert.Contains(live.Houses, h => h.Journal.Events.Any(e => e.Kind is FlowEventKind.Waits));
    }

    private static void AssertSame(string[] live, string[] virtually, int house)
    {
        var both = Enumerable.Range(0, Math.Min(live.Length, virtually.Length));
        var at = both.FirstOrDefault(i => live[i] != virtually[i], -1);
        if (at >= 0)
        {
            var before = string.Join('\n', live[Math.Max(0, at - 4)..(at + 1)]);
            Assert.Fail($"House {house} parts at decision {at}:\n{before}\nvirtually:\n{virtually[at]}");
        }

        Assert.Equal(live.Length, virtually.Length);
    }

    private static string[] Lines(FlowJournal journal) => [.. journal.Events.Select(e => e.ToString())];

    private static List<SharedScript> Parts(string profile, int seed)
    {
        var spacing = profile == "short" ? 3_000 : 60_000;
        var turns = profile is "two turns" or "group" ? 2 : 1;
        var group = profile == "group" ? "one" : "";
        return
        [
            new(Model(profile, seed, turns), new() { Group = group }, Scripted.Random((10 * seed) + 1, spacing, Requests, "a")),
            new(Model(profile, seed + 100, turns), new() { Weight = 2, Group = group },
                Scripted.Random((10 * seed) + 2, spacing / 2, Requests, "b")),
            new(Model(profile, seed + 200, turns), new() { Priority = 1 }, Scripted.Random((10 * seed) + 3, 3 * spacing, Requests, "c")),
        ];
    }

    private static SimulatedOptions Model(string profile, int seed, int turns) => new()
    {
        Inputs = new Dictionary<string, string> { ["x"] = "FP32 [-1,1]" },
        Outputs = new Dictionary<string, string> { ["y"] = "FP32 [-1,1]" },
        LatencyMs = profile switch
        {
            "two turns" or "group" => new Dictionary<int, double> { [1] = 4.0007, [2] = 8.0013 },
            "short" => new Dictionary<int, double> { [1] = 0.3001, [8] = 0.9007 },
            _ => new Dictionary<int, double> { [1] = 5.0003, [8] = 9.0011 },
        },
        Jitter = 0.2, Seed = seed, DeviceParallelism = turns,
    };
}

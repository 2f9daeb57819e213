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
            new(Model(profile, seed, turns), new() { Group = group }, Script((10 * seed) + 1, spacing, "a")),
            new(Model(profile, seed + 100, turns), new() { Weight = 2, Group = group },
                Script((10 * seed) + 2, spacing / 2, "b")),
            new(Model(profile, seed + 200, turns), new() { Priority = 1 }, Script((10 * seed) + 3, 3 * spacing, "c")),
        ];
    }

    private static List<Scripted> Script(int seed, int spacing, string prefix)
    {
        var random = new Random(seed);
        List<Scripted> script = [];
        var at = 1_000L;
        for (var i = 0; i < 80; i++)
        {
            at += 1 + random.Next(0, 2 * spacing);
            var now = new Instant(at);
            var rows = random.Next(4) == 0 ? random.Next(1, 4) : 1;
            script.Add(new(
                $"{prefix}{i:D3}", now,
                new()
                {
                    Started = now, Rows = rows, Elements = rows, Priority = random.Next(0, 4),
                    Timeout = random.Next(3) == 0 ? TimeSpan.FromTicks(random.Next(20_000, 900_000)) : null,
                    Form = new([random.Next(5) == 0 ? 2 : 1]),
                },
                random.Next(6) == 0 ? now + TimeSpan.FromTicks(random.Next(100, 6 * spacing)) : null));
        }

        return script;
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

    /// <summary>
    /// How long each run of a journal took, in the order of their starts; a stopped one would have gone on.
    /// </summary>
    private sealed class JournalTimes : IRunTimes
    {
        private readonly Queue<TimeSpan> _times = new();

        public JournalTimes(FlowJournal journal)
        {
            var events = journal.Events;
            for (var i = 0; i < events.Count; i++)
            {
                if (events[i].Kind is not FlowEventKind.Batch)
                    continue;
                var end = events.Skip(i).First(e => e.Kind is FlowEventKind.Finished && e.Runner == events[i].Runner);
                _times.Enqueue(end.Number == 1 ? end.At - events[i].At : TimeSpan.FromDays(1));
            }
        }

        public TimeSpan Next(int runner, int rows, long elements) =>
            _times.TryDequeue(out var time) ? time : TimeSpan.FromMilliseconds(5);
    }
}

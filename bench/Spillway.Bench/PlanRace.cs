using Spillway.Planner;
using Spillway.Planner.Answers;
using Spillway.Planner.Fleet;
using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;

namespace Spillway.Bench;

/// <summary>
/// How many simulated requests a second one core plays: through a single queue, and through a whole candidate with
/// network, balancing, the production flow with batches, and a scaling policy. CPU time of the process.
/// </summary>
internal static class PlanRace
{
    private const int QueueRequests = 3_000_000;

    private const string Prices = """
        currency: USD
        date: 2026-11-22
        source: a benchmark
        machines:
          machine: { onDemandPerHour: 1 }
        """;

    private const string Flow = """
        name: a benchmark
        durationSeconds: 600
        warmUpSeconds: 10
        prices: [prices.yaml]
        regions: { here: {} }
        workloads:
          - name: people
            arrivals: poisson
            ratePerSecond: 2000
            spike: { atSecond: 200, factor: 2, forSeconds: 100, halvesInSeconds: 60 }
        variants:
          batches:
            evidence: theoretical
            source: a benchmark
            curves: { machine: [{ rows: 1, ms: 5 }, { rows: 8, ms: 10 }, { rows: 32, ms: 25 }] }
        sites:
          site: { kind: cloud, networkMs: { here: 5 }, egressPerGb: 0 }
        candidates:
          - name: scaled
            variant: batches
            sites:
              site: { machine: machine, replicas: 3, scaling: { policy: utilisation, replicasMin: 2, replicasMax: 10 } }
        """;

    private const string Search = """
        name: a hundred candidates
        durationSeconds: 3600
        warmUpSeconds: 60
        prices: [prices.yaml]
        hardware: [hardware.yaml]
        goals: { firstTokenP95Ms: 1000, perTokenP95Ms: 60, refusedShareMax: 0.01 }
        regions: { here: {} }
        workloads:
          - { name: people, arrivals: trace, trace: trace.csv, deadlineMs: 60000 }
        variants:
          bits16:
            evidence: theoretical
            source: a benchmark
            batching: { queueLengthMax: 256 }
            language: { model: Llama-3.1-8B }
          bits8:
            evidence: theoretical
            source: a benchmark
            batching: { queueLengthMax: 256 }
            language: { model: Llama-3.1-8B, serving: { weightBits: 8 } }
        sites:
          site: { kind: cloud, networkMs: { here: 5 }, egressPerGb: 0 }
        candidates:
          - name: base
            variant: bits16
            sites: { site: { machine: H100, replicas: 1 } }
        search:
          base: base
          variants: [bits16, bits8]
          machines: [H100, A100, L40S, A10G, L4]
          replicas: [1, 2, 3, 4, 5, 6, 8, 10, 12, 16]
        """;

    private const string SearchPrices = """
        currency: USD
        date: 2026-11-22
        source: a benchmark
        machines:
          H100: { onDemandPerHour: 6.88, gpu: H100, gpus: 1 }
          A100: { onDemandPerHour: 3.43, gpu: A100, gpus: 1 }
          L40S: { onDemandPerHour: 2.62, gpu: L40S, gpus: 1 }
          A10G: { onDemandPerHour: 1.01, gpu: A10G, gpus: 1 }
          L4: { onDemandPerHour: 0.80, gpu: L4, gpus: 1 }
        """;

    /// <summary>Races.</summary>
    /// <param name="rounds">Of the two races on one core; the search is played a third as often.</param>
    /// <param name="trace">The recorded hour, a file; empty leaves the search out.</param>
    /// <param name="hardware">The file of devices and models.</param>
    public static void Run(int rounds, string trace, string hardware)
    {
        var plan = PlanReader.Read("plan.yaml", Flow, _ => new(Prices)).Plan
            ?? throw new BenchException("The plan of this benchmark has mistakes.");
        _ = (SingleQueue(200_000), FullFlow(plan));
        List<double> queue = [], flow = [];
        for (var round = 0; round < rounds; round++)
        {
            queue.Add(SingleQueue(QueueRequests));
            flow.Add(FullFlow(plan));
        }

        Report.Print(new
        {
            Rounds = rounds,
            QueueRequests,
            SingleQueuePerSecond = Report.Spread(queue),
            FullFlowPerSecond = Report.Spread(flow),
            Search = trace.Length == 0 ? null : SearchRounds(Math.Max(1, rounds / 3), trace, hardware),
        });
    }

    /// <summary>Every candidate of the search to its end, on two threads, as `spillway plan --jobs 2` does.</summary>
    private static object SearchRounds(int rounds, string trace, string hardware)
    {
        List<double> wall = [], cpu = [];
        var (requests, candidates) = (0L, 0);
        for (var round = 0; round < rounds; round++)
        {
            var (began, used) = (TimeProvider.System.GetTimestamp(), Environment.CpuUsage.TotalTime);
            var files = new Dictionary<string, string>
            {
                ["prices.yaml"] = SearchPrices, ["trace.csv"] = File.ReadAllText(trace),
                ["hardware.yaml"] = File.ReadAllText(hardware),
            };
            var read = PlanReader.Read("search.yaml", Search, name => new(files[name]));
            var plan = read.Plan ?? throw new BenchException($"The search has mistakes: {read.Errors[0]}");
            var outcomes = new CandidateOutcome[plan.Candidates.Count];
            Parallel.For(0, outcomes.Length, new() { MaxDegreeOfParallelism = 2 },
                at => outcomes[at] = Evaluation.Run(plan, plan.Candidates[at])!);
            (requests, candidates) = (outcomes.Max(o => o.Offered), outcomes.Length);
            wall.Add(TimeProvider.System.GetElapsedTime(began).TotalSeconds);
            cpu.Add((Environment.CpuUsage.TotalTime - used).TotalSeconds);
        }

        return new
        {
            Candidates = candidates, Requests = requests, WallSeconds = Report.Spread(wall),
            CpuSeconds = Report.Spread(cpu),
        };
    }

    private static double FullFlow(Plan plan)
    {
        var began = Environment.CpuUsage.TotalTime;
        var outcome = Evaluation.Run(plan, plan.Candidates[0])!;
        var all = outcome.Offered / (plan.Options.DurationSeconds - plan.Options.WarmUpSeconds)
            * plan.Options.DurationSeconds;
        return all / (Environment.CpuUsage.TotalTime - began).TotalSeconds;
    }

    private static double SingleQueue(int requests)
    {
        var began = Environment.CpuUsage.TotalTime;
        new Line(requests).Run();
        return requests / (Environment.CpuUsage.TotalTime - began).TotalSeconds;
    }

    /// <summary>M/M/4 at 80 % of its capacity.</summary>
    private sealed class Line : IActor, IStationTimes, IStationSink
    {
        private const int Places = 4;

        private readonly Calendar _calendar = new();
        private readonly Chance _chance = new(1, "line");
        private readonly Station _station;
        private int _left;
        private long _served;

        public Line(int requests) => (_left, _station) = (requests, new(_calendar, Places, this, this));

        public void Run()
        {
            var requests = _left;
            _calendar.Schedule(default, this, what: 0);
            _calendar.Run();
            if (_served != requests)
                throw new BenchException($"{_served} of {requests} simulated requests were served.");
        }

        public void Happen(int what, int which, long id)
        {
            _station.Enter(_left);
            if (--_left > 0)
                _calendar.Schedule(new(_calendar.Now.Ticks + (long)(_chance.Exponential() * 10_000)), this, what: 0);
        }

        public long Next(int tag) => (long)(_chance.Exponential() * 10_000 * Places * 0.8);

        public void Done(int tag, Instant now) => _served++;
    }
}

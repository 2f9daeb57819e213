using Spillway.Planner;
using Spillway.Planner.Answers;
using Spillway.Planner.Fleet;
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

    public static void Run(int rounds)
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
        });
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

using System.Globalization;

namespace Spillway.App.Cli.Top;

/// <summary>Two polls to a frame. Pure.</summary>
internal static class FrameMaker
{
    private const double MsPerSecond = 1000;
    private const double StartToleranceSeconds = 1;

    /// <summary>What happened between two polls; without an earlier one, only what is so at this moment.</summary>
    public static Frame Make(Reading? before, Reading now)
    {
        const string Start = "process_start_time_seconds";
        // Another process answers at the address: its totals have nothing to do with the old ones.
        if (before is not null && Math.Abs(before[Start] - now[Start]) > StartToleranceSeconds)
            before = null;
        var seconds = before is null ? 0 : Math.Max(0, now.Seconds - before.Seconds);
        var span = new Span(before, now, seconds);
        return new()
        {
            Now = now,
            Seconds = seconds,
            Rows = [.. now.States.Select(span.Row)],
            Cpu = span.Plain("process_cpu_seconds_total"),
            GcPause = span.Plain("dotnet_gc_pause_seconds_total"),
            Allocated = span.Plain("dotnet_gc_allocated_bytes_total"),
            UptimeSeconds = now.At.ToUnixTimeMilliseconds() / MsPerSecond - now[Start],
        };
    }

    private sealed record Span(Reading? Before, Reading Now, double Seconds)
    {
        public double Plain(string name) => Before is null ? double.NaN : Rate(Before[name], Now[name]);

        public FrameRow Row(ModelState state)
        {
            var row = new FrameRow { State = state, MemoryBytes = state.MemoryBytes };
            var deployed = Reading.Key(state.Deployment, state.Version);
            if (Now.Deployments.TryGetValue(deployed, out var deployment))
                row = Deployment(row, deployment, Before?.Deployments.GetValueOrDefault(deployed));
            if (Now.Models.TryGetValue(row.Key, out var model))
                row = Model(row, model, Before?.Models.GetValueOrDefault(row.Key));
            return row;
        }

        private FrameRow Model(FrameRow row, ModelReading now, ModelReading? before)
        {
            row = row with { MemoryBytes = First(row.MemoryBytes, now.MemoryBytes) };
            if (Seconds <= 0)
                return row;
            var (answered, failed) = (now.Answered.Since(before?.Answered), now.Failed.Since(before?.Failed));
            var outcomes = Rates(now.Outcomes, before?.Outcomes);
            var stages = now.Stages.ToDictionary(
                s => s.Key, s => s.Value.Since(before?.Stages.GetValueOrDefault(s.Key)));
            var requests = answered.Count + failed.Count;
            return row with
            {
                Rate = outcomes.Sum(o => o.PerSecond),
                OkRate = outcomes.Where(o => o.Name == "ok").Sum(o => o.PerSecond),
                P50 = answered.Quantile(0.5) * MsPerSecond,
                P95 = answered.Quantile(0.95) * MsPerSecond,
                P99 = answered.Quantile(0.99) * MsPerSecond,
                Outcomes = outcomes,
                Stages =
                [
                    .. stages.Select(s => new StageFigures(
                        s.Key, requests > 0 ? s.Value.Sum / requests * MsPerSecond : double.NaN,
                        s.Value.Quantile(0.95) * MsPerSecond)),
                ],
            };
        }

        private FrameRow Deployment(FrameRow row, DeploymentReading now, DeploymentReading? before)
        {
            row = row with
            {
                QueueDepth = now.QueueDepth, QueueLengthMax = now.QueueLengthMax, InFlight = now.InFlight,
                Runners = now.Runners, PredictedWaitMs = now.PredictedWait * MsPerSecond,
                MemoryBytes = First(row.MemoryBytes, now.MemoryBytes),
                Service = [.. now.ServiceSeconds.Select(s => (s.Key, s.Value * MsPerSecond))],
            };
            if (Seconds <= 0)
                return row;
            var batches = now.BatchRows.Since(before?.BatchRows);
            var requests = Rate(before?.BatchedRequests ?? 0, now.BatchedRequests) * Seconds;
            return row with
            {
                Busy = Rate(before?.BusySeconds ?? 0, now.BusySeconds),
                BatchRate = batches.Count / Seconds,
                BatchRequests = batches.Count > 0 ? requests / batches.Count : double.NaN,
                BatchRowsP95 = Math.Ceiling(batches.Quantile(0.95)),
                Cuts = Rates(now.Cuts, before?.Cuts),
                Drops = Rates(now.Drops, before?.Drops),
                Sizes = Sizes(batches),
            };
        }

        private List<NamedRate> Sizes(Buckets batches)
        {
            var sizes = new List<NamedRate>();
            var (lower, below) = (0d, 0d);
            foreach (var (bound, cumulative) in batches.Rows)
            {
                if (cumulative > below)
                    sizes.Add(new(SizeName(lower, bound), (cumulative - below) / Seconds));
                (lower, below) = (bound, cumulative);
            }

            return sizes;
        }

        private static string SizeName(double lower, double bound)
        {
            var from = lower + 1;
            return double.IsInfinity(bound) ? string.Create(CultureInfo.InvariantCulture, $">{lower:0}")
                : from >= bound ? bound.ToString("0", CultureInfo.InvariantCulture)
                : string.Create(CultureInfo.InvariantCulture, $"{from:0}-{bound:0}");
        }

        private List<NamedRate> Rates(Dictionary<string, double> now, Dictionary<string, double>? before) =>
        [
            .. now.Select(n => new NamedRate(n.Key, Rate(before?.GetValueOrDefault(n.Key) ?? 0, n.Value)))
                .Where(n => n.PerSecond > 0)
                .OrderByDescending(n => n.PerSecond).ThenBy(n => n.Name, StringComparer.Ordinal),
        ];

        /// <summary>A counter that fell began anew: what it shows is new.</summary>
        private double Rate(double before, double now) => (now < before ? now : now - before) / Seconds;

        private static double First(double one, double other) => double.IsNaN(one) ? other : one;
    }
}

using Spillway.App.Load.Compare;

namespace Spillway.App.Load;

/// <summary>Makes the report of raw rounds: sums, medians over rounds, ratios paired by round, warnings.</summary>
internal static class ReportBuilder
{
    /// <summary>A generator later than this at its 99th percentile did not offer what was asked.</summary>
    private const double LagWarningMs = 1;

    public static LoadReport Build(LoadPlan plan, IReadOnlyList<IReadOnlyList<RoundData>> rounds, bool interrupted)
    {
        var endpoints = plan.Endpoints.Select((e, i) => BuildEndpoint(plan, e, rounds[i])).ToList();
        return new()
        {
            Run = new(
                plan.Arrivals,
                plan.Rate > 0 ? plan.Rate : null,
                plan.Arrivals == "bursty" ? plan.Dispersion : null,
                plan.Arrivals == "trace" ? plan.TraceSpeed : null,
                plan.Concurrency > 0 ? plan.Concurrency : null,
                plan.Concurrency > 0 ? plan.Concurrency : plan.ConnectionsMax,
                plan.Rounds,
                plan.DurationSeconds < 7 * 86400 ? plan.DurationSeconds : null,
                plan.RequestsMax < long.MaxValue ? plan.RequestsMax : null,
                plan.WarmupSeconds,
                plan.Seed),
            Endpoints = endpoints,
            Ratios = [.. endpoints.Skip(1).Select(e => Ratio(e, endpoints[0]))],
            Comparisons = Compare(plan, endpoints),
            Warnings = [.. endpoints.SelectMany(e => Warnings(plan, e)), .. plan.Notes],
            Interrupted = interrupted,
        };
    }

    private static List<ComparisonReport> Compare(LoadPlan plan, List<EndpointReport> endpoints)
    {
        if (plan.Comparer is not { } comparer)
            return [];
        if (plan.Baseline is not { } baseline)
            return [.. endpoints.Skip(1).Select(e => comparer.Pairs(e, endpoints[0]))];
        return
        [
            .. endpoints.Select(e => (Now: e, Then: baseline.For(e.Name, endpoints.Count)))
                .Where(p => p.Then is not null).Select(p => comparer.Earlier(p.Now, p.Then!)),
        ];
    }

    private static EndpointReport BuildEndpoint(LoadPlan plan, Endpoint endpoint, IReadOnlyList<RoundData> rounds)
    {
        var reports = rounds.Select(r => BuildRound(plan, endpoint, [r], r.Number)).ToList();
        Spread? Over(Func<RoundReport, double?> figure) => Spread.Of(reports.Select(figure));
        return new()
        {
            Name = endpoint.Name,
            Server = endpoint.Server.ToString(),
            Model = endpoint.Model,
            Path = endpoint.Path,
            DeadlineMs = endpoint.DeadlineMs,
            DeadlineSource = endpoint.DeadlineSource,
            Rounds = reports,
            Total = BuildRound(plan, endpoint, rounds, 0),
            Spread = new(
                Over(r => r.CompletedPerSecond),
                Over(r => r.OkPerSecond),
                Over(r => r.Counts.GoodputPerSecond),
                Over(r => r.Counts.GoodputShare),
                Over(r => r.Counts.Latency?.P50),
                Over(r => r.Counts.Latency?.P95),
                Over(r => r.Counts.Latency?.P99),
                Over(r => r.CpuMicrosecondsPerCompleted),
                Over(r => r.RecoverySeconds)),
        };
    }

    /// <summary>The figures of some rounds of one endpoint, taken together.</summary>
    public static RoundReport BuildRound(LoadPlan plan, Endpoint endpoint, IReadOnlyList<RoundData> rounds, int number)
    {
        var seconds = rounds.Sum(r => r.Seconds);
        var phases = plan.Phases.Select((_, i) => Merge(rounds.Select(r => r.Recorder.Phases[i]))).ToList();
        var serverCpu = rounds.Any(r => r.ServerCpuSeconds is null) ? null : rounds.Sum(r => r.ServerCpuSeconds);
        return new()
        {
            Round = number,
            Seconds = seconds,
            Counts = Counts(Merge(phases), seconds),
            CompletedPerSecond = PerSecond(rounds.Sum(r => r.Recorder.CompletedInWindow), seconds),
            OkPerSecond = PerSecond(rounds.Sum(r => r.Recorder.OkInWindow), seconds),
            Connections = rounds.Count == 0 ? 0 : rounds.Max(r => r.Connections),
            WaitedForConnection = rounds.Sum(r => r.Waited),
            Stages = Stages(endpoint, rounds),
            Network = LatencyReport.Of(Merge(rounds.Select(r => r.Recorder.Network))),
            SendLag = LatencyReport.Of(Merge(rounds.Select(r => r.Recorder.SendLag))),
            DispatchLag = LatencyReport.Of(Merge(rounds.Select(r => r.Recorder.DispatchLag))),
            CpuMicrosecondsPerCompleted = Microseconds(serverCpu, rounds.Sum(r => r.CpuAnswers)),
            CpuMicrosecondsPerOk = Microseconds(serverCpu, rounds.Sum(r => r.CpuOk)),
            GeneratorCpuMicrosecondsPerCompleted =
                Microseconds(rounds.Sum(r => r.OwnCpuSeconds), rounds.Sum(r => r.CpuAnswers)),
            Phases = plan.Phases.Count == 1 ? [] : [.. plan.Phases.Select((p, i) =>
                new PhaseReport(i + 1, p.Factor, p.Seconds, Counts(phases[i], p.Seconds * Math.Max(1, rounds.Count))))],
            RecoverySeconds = RecoverySeconds(plan, rounds),
        };
    }

    /// <summary>Of one round its own; of several the median, and null as soon as one did not recover.</summary>
    private static double? RecoverySeconds(LoadPlan plan, IReadOnlyList<RoundData> rounds)
    {
        if (plan.Phases.Count == 1)
            return null;
        var each = rounds.Select(r => r.RecoverySeconds).ToList();
        return each.Contains(null) ? null : Spread.Of(each)?.Median;
    }

    private static CountsReport Counts(Tally tally, double seconds)
    {
        var errors = Enum.GetValues<TransportError>().Where(e => tally.ErrorCount(e) > 0).ToList();
        double Share(long count) => tally.Offered == 0 ? 0 : count / (double)tally.Offered;
        return new()
        {
            Offered = tally.Offered,
            OfferedPerSecond = PerSecond(tally.Offered, seconds),
            Sent = tally.Sent,
            Completed = tally.Completed,
            Ok = tally.Ok,
            Unanswered = Math.Max(0, tally.Offered - tally.Completed - errors.Sum(tally.ErrorCount)),
            Good = tally.Good,
            GoodputPerSecond = PerSecond(tally.Good, seconds),
            GoodputShare = Share(tally.Good),
            Refusals = [.. tally.Refusals.OrderByDescending(r => r.Count).Select(r => new RefusalReport(
                r.Reason, r.Status, r.Count, Share(r.Count), r.RetryAfterMs < 0 ? null : r.RetryAfterMs, r.Example))],
            Errors = [.. errors.Select(e =>
                new ErrorReport(e.Name(), tally.ErrorCount(e), Share(tally.ErrorCount(e))))],
            Latency = LatencyReport.Of(tally.OkLatency),
            RefusalLatency = LatencyReport.Of(tally.RefusedLatency),
        };
    }

    private static List<StageReport> Stages(Endpoint endpoint, IReadOnlyList<RoundData> rounds)
    {
        List<StageReport> stages = [];
        foreach (var (name, index) in endpoint.Stages.Names.Select((n, i) => (n, i)))
        {
            var times = rounds.Select(r => r.Recorder.Stage(index)).OfType<LatencyHistogram>();
            if (LatencyReport.Of(Merge(times)) is { } time)
                stages.Add(new(name, time));
        }

        // The table knows "total" first; people read it last.
        return [.. stages.OrderBy(s => s.Name == StageTable.TotalName)];
    }

    private static RatioReport Ratio(EndpointReport endpoint, EndpointReport other)
    {
        Spread? Paired(Func<RoundReport, double?> figure) => Spread.Of(endpoint.Rounds.Select(r =>
            other.Rounds.FirstOrDefault(o => o.Round == r.Round) is { } pair && figure(pair) is > 0 and var by
                ? figure(r) / by : null));
        return new(
            endpoint.Name,
            other.Name,
            Paired(r => r.OkPerSecond),
            Paired(r => r.Counts.GoodputPerSecond),
            Paired(r => r.Counts.Latency?.P50),
            Paired(r => r.Counts.Latency?.P99),
            Paired(r => r.CpuMicrosecondsPerCompleted));
    }

    private static IEnumerable<string> Warnings(LoadPlan plan, EndpointReport endpoint)
    {
        if (plan.Baseline is { } baseline && baseline.For(endpoint.Name, plan.Endpoints.Count) is null)
            yield return $"{endpoint.Name} is not in the baseline, whose endpoints are "
                + $"{string.Join(", ", baseline.Endpoints.Select(e => e.Name))}: it was not compared.";
        var total = endpoint.Total;
        if (plan.Concurrency == 0 && total.DispatchLag is { P99: > LagWarningMs } lag)
            yield return $"{endpoint.Name}: the generator could not keep up: its sends were {lag.P99:0.00} ms late at "
                + "the 99th percentile. The load was less even than asked; lower --rate, or give this "
                + "process more CPU.";
        if (total.WaitedForConnection > 0)
            yield return $"{endpoint.Name}: {total.WaitedForConnection:N0} requests waited for one of "
                + $"{plan.ConnectionsMax} connections. Their wait is inside their latency; raise --connections to let "
                + "the server queue them instead.";
        if (total.Counts.Unanswered > 0)
            yield return $"{endpoint.Name}: {total.Counts.Unanswered:N0} requests had no answer when the run ended. "
                + "They count as offered, not as good.";
        if (endpoint.Rounds.Count > 0 && total.Counts.Completed < 100)
            yield return $"{endpoint.Name}: {total.Counts.Completed} answers are too few for a 99th percentile.";
    }

    private static Tally Merge(IEnumerable<Tally> tallies)
    {
        var sum = new Tally();
        foreach (var tally in tallies)
            sum.Add(tally);
        return sum;
    }

    private static LatencyHistogram Merge(IEnumerable<LatencyHistogram> histograms)
    {
        var sum = new LatencyHistogram();
        foreach (var histogram in histograms)
            sum.Add(histogram);
        return sum;
    }

    private static double PerSecond(long count, double seconds) => seconds > 0 ? count / seconds : 0;

    private static double? Microseconds(double? seconds, long count) => count > 0 ? seconds * 1e6 / count : null;
}

using System.Globalization;
using Spectre.Console;
using Spillway.App.Load.Compare;

namespace Spillway.App.Load;

/// <summary>The report for people: tables in a terminal, the same in plain ASCII elsewhere.</summary>
internal sealed class ReportText
{
    private const int PlainWidth = 170;
    private const int ExampleCharsMax = 90;

    private readonly IAnsiConsole _console;
    private readonly bool _terminal;

    public ReportText(TextWriter output, bool terminal)
    {
        _terminal = terminal;
        _console = AnsiConsole.Create(new()
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = terminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        if (!terminal)
            _console.Profile.Width = PlainWidth;
    }

    public void Write(LoadPlan plan, LoadReport report, IReadOnlyList<IReadOnlyList<RoundData>> rounds)
    {
        Line(Describe(plan));
        for (var i = 0; i < report.Endpoints.Count; i++)
            WriteEndpoint(report.Endpoints[i], rounds[i]);
        if (report.Ratios.Count > 0 && report.Comparisons.Count == 0)
            WriteRatios(report.Ratios);
        foreach (var comparison in report.Comparisons)
            WriteComparison(comparison);
        foreach (var warning in report.Warnings)
            Line($"! {warning}");
        if (report.Interrupted)
            Line("Interrupted: these are the results so far.");
    }

    private static string Describe(LoadPlan plan)
    {
        var limit = $"up to {plan.ConnectionsMax} connections";
        var load = plan.Arrivals switch
        {
            "closed" => $"closed loop, {plan.Concurrency} connections",
            "trace" => $"trace of {plan.Trace.Length:N0} arrivals at {plan.TraceSpeed:0.##}x, {limit}",
            "bursty" => $"bursty arrivals, {plan.Rate:0.##}/s, dispersion {plan.Dispersion:0.##} (bursts of "
                + $"{BurstyArrivals.BurstSeconds(plan.Rate, plan.Dispersion):0.###} s), {limit}",
            _ => $"{plan.Arrivals} arrivals, {plan.Rate:0.##}/s, {limit}",
        };
        var rounds = plan.Rounds > 1 ? $", {plan.Rounds} rounds" : "";
        return $"{load}{rounds}, warm-up {plan.WarmupSeconds:0.##} s, seed {plan.Seed}";
    }

    private void WriteEndpoint(EndpointReport endpoint, IReadOnlyList<RoundData> rounds)
    {
        var total = endpoint.Total;
        Line("");
        var deadline = endpoint.DeadlineMs is { } ms ? $"deadline {Number(ms)} ms ({endpoint.DeadlineSource})"
            : "no deadline: every ok answer is good (--deadline MS)";
        Line($"{endpoint.Name}  {endpoint.Server.TrimEnd('/')}{endpoint.Path}  {deadline}");
        WriteCounts(total);
        WriteLatencies(total);
        if (endpoint.Rounds.Count > 1)
            WriteSpread(endpoint.Spread);
        if (total.Phases.Count > 0)
            WritePhases(total);
        WriteRefusals(total.Counts);
        WriteCpu(total);
        HistogramText.Write(Merged(rounds), _terminal, Line);
    }

    private void WriteCounts(RoundReport total)
    {
        var counts = total.Counts;
        Line($"{Whole(counts.Offered)} offered, {Whole(counts.Sent)} sent, {Whole(counts.Completed)} completed, "
            + $"{Whole(counts.Ok)} ok in {Number(total.Seconds)} s");
        Line($"{Number(total.CompletedPerSecond)} completed/s, {Number(total.OkPerSecond)} ok/s, goodput "
            + $"{Number(counts.GoodputPerSecond)}/s ({Percent(counts.GoodputShare)} of offered)");
    }

    private void WriteLatencies(RoundReport total)
    {
        var table = NewTable("milliseconds", "mean", "p50", "p90", "p95", "p99", "p99.9", "max");
        AddLatency(table, "latency of ok", total.Counts.Latency);
        AddLatency(table, "latency of refused", total.Counts.RefusalLatency);
        foreach (var stage in total.Stages)
            AddLatency(table, $"  server {stage.Name}", stage.Time);
        AddLatency(table, "  network", total.Network);
        AddLatency(table, "send lag", total.SendLag);
        if (table.Rows.Count > 0)
            _console.Write(table);
    }

    private static void AddLatency(Table table, string name, LatencyReport? time)
    {
        if (time is not null)
            table.AddRow(Markup.Escape(name), Number(time.Mean), Number(time.P50), Number(time.P90), Number(time.P95),
                Number(time.P99), Number(time.P999), Number(time.Max));
    }

    private void WriteSpread(SpreadReport spread)
    {
        var table = NewTable("over rounds", "median", "min", "max");
        AddSpread(table, "completed/s", spread.CompletedPerSecond);
        AddSpread(table, "ok/s", spread.OkPerSecond);
        AddSpread(table, "goodput/s", spread.GoodputPerSecond);
        AddSpread(table, "p50 ms", spread.P50Ms);
        AddSpread(table, "p95 ms", spread.P95Ms);
        AddSpread(table, "p99 ms", spread.P99Ms);
        AddSpread(table, "server CPU µs per completed", spread.CpuMicrosecondsPerCompleted);
        AddSpread(table, "recovery s", spread.RecoverySeconds);
        _console.Write(table);
    }

    private void WritePhases(RoundReport total)
    {
        var table = NewTable("phase", "offered", "offered/s", "good/s", "good", "p50 ms", "p95 ms", "p99 ms");
        foreach (var phase in total.Phases)
        {
            var counts = phase.Counts;
            var latency = counts.Latency;
            table.AddRow(
                string.Create(CultureInfo.InvariantCulture,
                    $"{phase.Phase}: {phase.Factor:0.##}x {phase.Seconds:0.##} s"),
                Whole(counts.Offered), Number(counts.OfferedPerSecond),
                Number(counts.GoodputPerSecond), Percent(counts.GoodputShare), Number(latency?.P50),
                    Number(latency?.P95), Number(latency?.P99));
        }

        _console.Write(table);
        Line(total.RecoverySeconds is { } seconds
            ? $"Recovered {Number(seconds)} s into the last phase (p95 within {Recovery.Tolerance}x of the first's)."
            : $"Not recovered: p95 did not stay within {Recovery.Tolerance}x of the first phase's.");
    }

    private void WriteRefusals(CountsReport counts)
    {
        if (counts.Refusals.Count + counts.Errors.Count == 0)
            return;
        var table = NewTable("not ok", "count", "of offered", "retry after ms", "example");
        foreach (var refusal in counts.Refusals)
        {
            var example = refusal.Example.Length > ExampleCharsMax ? refusal.Example[..ExampleCharsMax] + "…"
                : refusal.Example;
            table.AddRow(Markup.Escape(refusal.Reason), Whole(refusal.Count), Percent(refusal.Share),
                refusal.RetryAfterMs is { } ms ? Whole(ms) : "-", Markup.Escape(example));
        }

        foreach (var error in counts.Errors)
            table.AddRow(Markup.Escape(error.Kind), Whole(error.Count), Percent(error.Share), "-", "");
        _console.Write(table);
    }

    private void WriteCpu(RoundReport total)
    {
        if (total.CpuMicrosecondsPerCompleted is { } cpu)
            Line($"server CPU {Number(cpu)} µs per completed, {Number(total.CpuMicrosecondsPerOk)} µs per ok "
                + "(process tree)");
        if (total.GeneratorCpuMicrosecondsPerCompleted is { } own)
            Line($"generator CPU {Number(own)} µs per completed, {total.Connections} connections");
    }

    private void WriteRatios(IReadOnlyList<RatioReport> ratios)
    {
        Line("");
        var table = NewTable("ratio, median of rounds (min..max)", "ok/s", "goodput/s", "p50", "p99", "server CPU");
        foreach (var ratio in ratios)
            table.AddRow(Markup.Escape($"{ratio.Endpoint} / {ratio.Base}"), Show(ratio.OkPerSecond),
                Show(ratio.Goodput), Show(ratio.P50), Show(ratio.P99), Show(ratio.CpuPerCompleted));
        _console.Write(table);
    }

    private void WriteComparison(ComparisonReport comparison)
    {
        Line("");
        var table = NewTable($"{comparison.Endpoint} / {comparison.Base}", "ratio", "from", "to", "confidence",
            "rounds", "verdict");
        foreach (var figure in comparison.Figures)
            table.AddRow(Markup.Escape(figure.Figure), Number(figure.Ratio), Number(figure.Low), Number(figure.High),
                figure.Confidence is { } sure ? Percent(sure) : "-", Whole(figure.Rounds), figure.Verdict);
        _console.Write(table);
        Line($"{comparison.Method}; \"open\": more rounds, or a quieter machine, would tell.");
    }

    private static LatencyHistogram Merged(IReadOnlyList<RoundData> rounds)
    {
        var sum = new LatencyHistogram();
        foreach (var phase in rounds.SelectMany(r => r.Recorder.Phases))
            sum.Add(phase.OkLatency);
        return sum;
    }

    private Table NewTable(params string[] columns)
    {
        var table = new Table { Border = _terminal ? TableBorder.Simple : TableBorder.Ascii };
        for (var i = 0; i < columns.Length; i++)
        {
            var column = new TableColumn(Markup.Escape(columns[i])) { NoWrap = columns[i] != "example" };
            table.AddColumn(i == 0 || columns[i] == "example" ? column : column.RightAligned());
        }

        return table;
    }

    private static void AddSpread(Table table, string name, Spread? spread)
    {
        if (spread is not null)
            table.AddRow(name, Number(spread.Median), Number(spread.Min), Number(spread.Max));
    }

    private static string Show(Spread? spread) => spread is null ? "-"
        : $"{Number(spread.Median)} ({Number(spread.Min)}..{Number(spread.Max)})";

    private void Line(string text) => _console.Profile.Out.Writer.WriteLine(text);

    private static string Whole(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Percent(double share) => share.ToString("0.0 %", CultureInfo.InvariantCulture);

    /// <summary>Three significant digits, so that 0.0123 ms and 12,300/s are both readable.</summary>
    private static string Number(double? value) => value is not { } number ? "-" : Math.Abs(number) switch
    {
        >= 100 => number.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 => number.ToString("0.0", CultureInfo.InvariantCulture),
        >= 1 => number.ToString("0.00", CultureInfo.InvariantCulture),
        _ => number.ToString("0.000", CultureInfo.InvariantCulture),
    };
}

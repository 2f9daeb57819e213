using System.Text.Json;
using Spillway.App.Load.Plots;
using Spillway.App.Load.Search;

namespace Spillway.App.Load;

/// <summary>
/// <c>--find-max</c> and <c>--sweep</c>. Exit codes: 0 a confirmed rate (a sweep: every step had an ok answer), 1 none,
/// 130 interrupted.
/// </summary>
internal sealed class CurveCommand(LoadPlan plan, LoadOptions options, TextWriter output, TextWriter error)
{
    public async Task<int> RunAsync(LoadClock clock, CancellationToken stop)
    {
        // Checked before the first request: a search of minutes must not end in a message about a flag.
        List<SearchPlan> searches = options.Search.FindMax
            ? [.. plan.Endpoints.Select(e => SearchPlan.Create(options.Search, e.DeadlineMs))] : [];
        using var plot = Create("--plot", options.Plot);
        using var csv = Create("--csv", options.Csv);
        var live = LoadCommand.IsTerminal(error, Console.Error, Console.IsErrorRedirected) ? error : null;
        var progress = new ProgressLine(live, clock, rounds: 1);
        // With --json the steps are for whoever watches, and the output is for the program behind the pipe.
        var text = new CurveText(options.Json ? live ?? TextWriter.Null : output,
            LoadCommand.IsTerminal(output, Console.Out, Console.IsOutputRedirected));
        var report = await new CurveRunner(plan, searches, clock, progress, text.Write).RunAsync(stop);
        if (options.Json)
            await output.WriteLineAsync(JsonSerializer.Serialize(report, CurveJson.Default.CurveReport));
        else
            text.Write(report);
        var drawn = report.Endpoints.Where(e => e.Steps.Count > 0).ToList();
        if (plot is not null && drawn.Count > 0)
            await plot.WriteAsync(SvgPlot.Draw(Title(), Series.Of(drawn, ascii: false)));
        if (csv is not null)
            await csv.WriteAsync(CurveCsv.Format(report));
        return stop.IsCancellationRequested ? ExitCodes.Interrupted
            : report.Endpoints.All(IsFine) ? ExitCodes.Fine : ExitCodes.Failed;
    }

    private static bool IsFine(CurveEndpoint endpoint) =>
        endpoint.Max is { } max ? max.Confirmed : endpoint.Steps.Count > 0 && endpoint.Steps.All(s => s.Ok > 0);

    private string Title() => $"Latency over load: {string.Join(", ", plan.Endpoints.Select(e => e.Name))}, "
        + $"{plan.Arrivals} arrivals, from the scheduled send";

    private static StreamWriter? Create(string option, string? path)
    {
        try
        {
            return path is null ? null : new StreamWriter(path, append: false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw LoadException.Usage($"Cannot write {option} '{path}': {failure.Message}");
        }
    }
}

using System.Globalization;
using Spillway.App.Load.Plots;

namespace Spillway.App.Load.Search;

/// <summary>Steps as they end, a line each, then the plot and the finding.</summary>
internal sealed class CurveText(TextWriter output, bool unicode)
{
    private const string Columns =
        "step     kind    asked/s       ok/s     p50 ms     p95 ms     p99 ms  over bound  seconds";

    private string _header = "";

    /// <summary>One step, at once.</summary>
    public void Write(Endpoint endpoint, StepReport step)
    {
        var header = $"{endpoint.Name}  {endpoint.Server.ToString().TrimEnd('/')}{endpoint.Path}";
        if (header != _header && step.Kind != "sweep")
            output.WriteLine(header);
        if (_header.Length == 0 || (header != _header && step.Kind != "sweep"))
            output.WriteLine(Columns);
        _header = header;
        var (worst, of) = Worst(step);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{step.Step,4}  {step.Kind,7} {step.Rate,10:0.##} {step.OkPerSecond,10:0.##} "
            + $"{step.Latency?.P50,10:0.###} {step.Latency?.P95,10:0.###} {step.Latency?.P99,10:0.###} "
            + $"{worst,11} {step.Seconds,8:0.#}  {of}").TrimEnd());
    }

    public void Write(CurveReport report)
    {
        output.WriteLine();
        var drawn = report.Endpoints.Where(e => e.Steps.Count > 0).ToList();
        foreach (var line in drawn.Count == 0 ? [] : TerminalPlot.Draw(Series.Of(drawn, ascii: !unicode)))
            output.WriteLine(line);
        foreach (var endpoint in report.Endpoints.Where(e => e.Max is not null))
        {
            output.WriteLine();
            output.WriteLine(Finding(endpoint));
        }

        foreach (var warning in report.Warnings)
            output.WriteLine($"! {warning}");
        if (report.Interrupted)
            output.WriteLine("Interrupted: these are the results so far.");
    }

    /// <summary>The result in a sentence that says how sure it is.</summary>
    public static string Finding(CurveEndpoint endpoint)
    {
        var max = endpoint.Max!;
        var bounds = string.Join(" and ", max.Bounds);
        if (max.Rate is not { } rate)
            return $"{endpoint.Name}: no rate was shown to keep {bounds}."
                + (max.BrokenRate is { } lowest ? $" Even {Shown(lowest)}/s did not." : "");
        var above = max.BrokenRate is { } broken ? $" {Shown(broken)}/s did not." : "";
        if (!max.Confirmed)
            return $"{endpoint.Name}: {Shown(rate)}/s kept {bounds} in the search, and was not confirmed.{above}";
        var run = endpoint.Steps.Last(s => s.Kind == "confirm");
        var counts = run.Bounds.MaxBy(b => b.Over)!;
        return string.Create(CultureInfo.InvariantCulture,
            $"{endpoint.Name}: {Shown(rate)} requests/s keep {bounds}: in a fresh run of {run.Seconds:0.#} s "
            + $"{counts.Over:N0} of {counts.Over + counts.Inside:N0} were over, "
            + $"confidence {max.Confidence:0.##%}.{above}");
    }

    private static (string Over, string Words) Worst(StepReport step)
    {
        if (step.Bounds.MaxBy(b => b.Over) is not { } worst)
            return (string.Create(CultureInfo.InvariantCulture, $"{1 - step.GoodputShare:0.00%}"),
                step.GeneratorLate ? "generator late" : "");
        var upper = worst.UpperMs is { } ms
            ? string.Create(CultureInfo.InvariantCulture, $" (at most {ms:0.##} ms)") : "";
        return (string.Create(CultureInfo.InvariantCulture, $"{1 - worst.Share:0.00%}"),
            step.Verdict + upper + (step.GeneratorLate ? ", generator late" : ""));
    }

    private static string Shown(double rate) =>
        rate.ToString(rate < 100 ? "0.##" : "N0", CultureInfo.InvariantCulture);
}

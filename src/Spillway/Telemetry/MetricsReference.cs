using System.Text;

namespace Spillway.Telemetry;

/// <summary>Writes docs/reference/metrics.md from <see cref="Instruments"/>.</summary>
internal static class MetricsReference
{
    /// <summary>The page, with line feeds.</summary>
    public static string Write()
    {
        var page = new StringBuilder();
        page.Append("# Metrics\n\n");
        page.Append("Generated from `src/Spillway/Telemetry/Instruments.cs`; change that file, then run the tests\n");
        page.Append("with `SPILLWAY_UPDATE_DOCS=1`. `GET /metrics` answers in Prometheus' text format 0.0.4.\n");
        page.Append("Label values are fixed when a model is loaded: no request can add a series.\n\n");
        page.Append("| metric | type | unit | labels | meaning |\n|---|---|---|---|---|\n");
        foreach (var spec in Instruments.All)
        {
            var labels = string.Join(", ", spec.Labels.Select(label => $"`{label}`"));
            var kind = spec.Kind.ToString().ToLowerInvariant();
            page.Append($"| `{spec.Name}` | {kind} | {spec.Unit} | {labels} | {spec.Help} |\n");
        }

        page.Append("\n## Buckets\n\n");
        page.Append($"Times, in seconds: {Join(Histogram.TimeBounds)}.\n\n");
        page.Append($"Rows of a batch: {Join(Histogram.RowBounds)}.\n\n");
        page.Append("## Label values\n\n");
        page.Append($"- `stage`: {string.Join(", ", StageNames.All.Select(stage => stage.Name()))}\n");
        page.Append($"- `outcome`: {FaultLabels.Ok}, {string.Join(", ", FaultLabels.Kinds.Select(FaultLabels.Of))}\n");
        page.Append("- `result`: ok, fault (of a request); ok, refused (of a configuration)\n");
        page.Append("- `result` of `spillway_otlp_traces_total` and `spillway_otlp_exports_total`: ");
        page.Append(string.Join(", ", Enum.GetValues<OtlpResult>().Select(OtlpInstruments.Label)));
        page.Append("; of the first also queue_full\n");
        page.Append("- `reason` of `spillway_batch_cuts_total`: full, wait, idle, deadline, shape\n");
        page.Append("- `reason` of `spillway_drops_total`: ");
        page.Append(string.Join(", ", DeploymentInstruments.DropKinds.Select(FaultLabels.Of))).Append('\n');
        return page.ToString();
    }

    private static string Join(IEnumerable<double> bounds) =>
        string.Join(", ", bounds.Select(bound => Encoding.ASCII.GetString(PrometheusText.Number(bound))));
}

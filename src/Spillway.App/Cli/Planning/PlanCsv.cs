using System.Globalization;
using System.Text;
using Spillway.Planner.Answers;

namespace Spillway.App.Cli.Planning;

/// <summary>A line for each candidate, for spreadsheets.</summary>
internal static class PlanCsv
{
    public static string Format(PlanReport report)
    {
        var text = new StringBuilder("candidate,variant,fit,recommended,frontier,evidence,quality,offered,answered,"
            + "from_cache,refused_share,cold_starts,p50_ms,p95_ms,p99_ms,first_token_p95_ms,per_token_p95_ms,"
            + "throughput,goodput,capacity,utilisation,replicas_mean,replicas_most,broken_seconds,"
            + "cost_per_hour,cost_per_month,cost_per_1000,cost_per_million_tokens,currency,reason\n");
        foreach (var (o, best, frontier, reason, _) in report.Candidates)
        {
            object?[] cells =
            [
                o.Candidate.Name, o.Candidate.Variant, o.IsFit, best, frontier, Evaluation.Word(o.Evidence), o.Quality,
                o.Offered, o.Answered, o.FromCache, o.RefusedShare, o.ColdStarts, o.Total.P50Ms, o.Total.P95Ms,
                o.Total.P99Ms, o.FirstToken?.P95Ms, o.PerToken?.P95Ms, o.Throughput, o.Goodput, o.Capacity,
                o.Utilisation, o.ReplicasMean, o.ReplicasMost, o.BrokenSeconds, o.CostPerHour, o.CostPerMonth,
                o.CostPer1000, o.CostPerMillionTokens, report.Plan.Currency, reason,
            ];
            text.AppendJoin(',', cells.Select(Cell)).Append('\n');
        }

        return text.ToString();
    }

    private static string Cell(object? value) => value switch
    {
        null => "",
        bool flag => flag ? "yes" : "no",
        double number => number.ToString("0.######", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        var other => Quoted(other.ToString()!),
    };

    /// <summary>Quoted; a text that a spreadsheet would take for a formula gets an apostrophe.</summary>
    private static string Quoted(string text)
    {
        var safe = text.Length > 0 && text[0] is '=' or '+' or '-' or '@' ? "'" + text : text;
        return $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}

using System.Buffers;
using System.Text;
using System.Text.Json;
using Spillway.Planner.Answers;
using Spillway.Planner.Outcomes;

namespace Spillway.App.Cli.Planning;

/// <summary>
/// A report for programs. The same plan and seed give the same bytes: no clock, no duration, no path is in it.
/// </summary>
internal static class PlanJson
{
    public static string Format(PlanReport report)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new() { Indented = true }))
            Write(json, report);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, PlanReport report)
    {
        var options = report.Plan.Options;
        json.WriteStartObject();
        json.WriteString("plan", options.Name);
        json.WriteNumber("seed", options.Seed);
        json.WriteNumber("simulated_seconds", options.DurationSeconds);
        json.WriteNumber("warm_up_seconds", options.WarmUpSeconds);
        json.WriteString("currency", report.Plan.Currency);
        json.WriteStartArray("price_sources");
        foreach (var source in report.Plan.PriceSources)
            json.WriteStringValue(source);
        json.WriteEndArray();
        if (report.WhatIf is { } drill)
            json.WriteString("what_if", drill);
        json.WriteString("rules", PlanReport.Rules);
        json.WriteString("recommendation", report.Sentence);
        if (report.Best is { } best)
            json.WriteString("recommended", best.Outcome.Candidate.Name);
        else
            json.WriteNull("recommended");
        json.WriteNumber("not_run", report.NotRun);
        json.WriteStartArray("candidates");
        foreach (var candidate in report.Candidates)
            Candidate(json, report, candidate);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Candidate(Utf8JsonWriter json, PlanReport report, Judged judged)
    {
        var o = judged.Outcome;
        json.WriteStartObject();
        json.WriteString("name", o.Candidate.Name);
        json.WriteString("variant", o.Candidate.Variant);
        json.WriteString("evidence", Evaluation.Word(o.Evidence));
        Number(json, "quality", o.Quality);
        if (o.InterruptionsUnknown)
            json.WriteBoolean("spot_interruptions_unknown", true);
        json.WriteBoolean("fit", o.IsFit);
        json.WriteBoolean("recommended", judged.IsBest);
        json.WriteBoolean("frontier", judged.OnFrontier);
        json.WriteString("reason", judged.Reason);
        Texts(json, "would_help", judged.WouldHelp);
        Texts(json, "infeasible", o.Infeasible);
        if (o.Infeasible.Count == 0)
        {
            Counts(json, o);
            Times(json, o);
            Costs(json, o);
            Goals(json, o);
            Pieces(json, o);
            Quick(json, QuickAnswer.Of(report.Plan, o.Candidate, o));
        }

        json.WriteEndObject();
    }

    private static void Counts(Utf8JsonWriter json, CandidateOutcome o)
    {
        json.WriteNumber("offered", o.Offered);
        json.WriteNumber("answered", o.Answered);
        json.WriteNumber("kept_promise", o.Kept);
        json.WriteNumber("from_cache", o.FromCache);
        json.WriteStartObject("faults");
        foreach (var (fault, count) in o.Faults)
            json.WriteNumber(JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.ToString()), count);
        json.WriteEndObject();
        Turned(json, o);
        json.WriteNumber("cold_starts", o.ColdStarts);
        Number(json, "throughput_per_second", o.Throughput);
        Number(json, "goodput_per_second", o.Goodput);
        Number(json, "capacity_per_second", o.Capacity);
        Number(json, "utilisation", o.Utilisation);
        Number(json, "capacity_use", o.CapacityUse);
        Number(json, "replicas_mean", o.ReplicasMean);
        json.WriteNumber("replicas_most", o.ReplicasMost);
        json.WriteNumber("broken_seconds", o.BrokenSeconds);
        json.WriteStartObject("little");
        Number(json, "in_system", o.Little.InSystem);
        Number(json, "rate_times_time", o.Little.RateTimesTime);
        json.WriteEndObject();
    }

    /// <summary>What limits, budgets and retries did; nothing where there are none.</summary>
    private static void Turned(Utf8JsonWriter json, CandidateOutcome o)
    {
        if (o.Retries + o.Hedges > 0)
        {
            json.WriteNumber("retries", o.Retries);
            json.WriteNumber("hedges", o.Hedges);
        }

        if (o.Turned.Count == 0)
            return;
        json.WriteStartArray("limits");
        foreach (var (site, count) in o.Turned)
        {
            json.WriteStartObject();
            json.WriteString("site", site);
            json.WriteString("kind", count.IsBudget ? "budget" : "rate");
            json.WriteString("rule", count.Rule);
            json.WriteNumber("refused", count.Refused);
            json.WriteNumber("waited", count.Waited);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Times(Utf8JsonWriter json, CandidateOutcome o)
    {
        json.WriteStartArray("times");
        foreach (var times in (List<StageTimes?>)[.. o.Stages, o.Total, o.FirstToken, o.PerToken, .. o.Steps])
        {
            if (times is not { } stage)
                continue;
            json.WriteStartObject();
            json.WriteString("stage", stage.Name);
            if (stage.Evidence.Length > 0)
                json.WriteString("evidence", stage.Evidence);
            Number(json, "mean_ms", stage.MeanMs);
            Number(json, "p50_ms", stage.P50Ms);
            Number(json, "p95_ms", stage.P95Ms);
            Number(json, "p99_ms", stage.P99Ms);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Costs(Utf8JsonWriter json, CandidateOutcome o)
    {
        json.WriteStartArray("cost_lines");
        foreach (var line in o.Costs)
        {
            json.WriteStartObject();
            json.WriteString("site", line.Site);
            json.WriteString("what", line.What);
            json.WriteNumber("quantity", Math.Round(line.Quantity, 9));
            json.WriteString("unit", line.Unit);
            json.WriteNumber("price", line.Price);
            json.WriteString("amount", line.Amount.ToString());
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("bill", o.Bill.ToString());
        Number(json, "cost_per_hour", o.CostPerHour);
        Number(json, "cost_per_month", o.CostPerMonth);
        Number(json, "cost_per_1000", o.CostPer1000);
        Number(json, "cost_per_million_tokens", o.CostPerMillionTokens);
        json.WriteStartArray("cost_over_utilisation");
        foreach (var point in o.CostCurve)
        {
            json.WriteStartObject();
            Number(json, "utilisation", point.Utilisation);
            Number(json, "per_1000", point.Per1000);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Goals(Utf8JsonWriter json, CandidateOutcome o)
    {
        json.WriteStartArray("goals");
        foreach (var goal in o.Goals)
        {
            json.WriteStartObject();
            json.WriteString("goal", goal.Goal);
            Number(json, "promised", goal.Wanted);
            Number(json, "got", goal.Got);
            json.WriteBoolean("kept", goal.Kept);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Quick(Utf8JsonWriter json, QuickAnswer quick)
    {
        json.WriteStartArray("formulas");
        foreach (var site in quick.Sites)
        {
            json.WriteStartObject();
            json.WriteString("site", site.Site);
            json.WriteString("formula", site.Formula);
            Number(json, "utilisation", site.Utilisation);
            Number(json, "peak_utilisation", site.PeakUtilisation);
            Number(json, "wait_ms", site.WaitMs);
            Number(json, "mean_ms", site.MeanMs);
            Number(json, "p95_ms", site.P95Ms);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        Texts(json, "formulas_disagree", quick.Warnings);
    }

    private static void Pieces(Utf8JsonWriter json, CandidateOutcome o)
    {
        json.WriteStartArray("pieces");
        foreach (var piece in o.Pieces)
        {
            json.WriteStartArray();
            json.WriteNumberValue(Math.Round(piece.Second, 3));
            json.WriteNumberValue(piece.Offered);
            json.WriteNumberValue(piece.Answered);
            json.WriteNumberValue(piece.Failed);
            json.WriteNumberValue(Math.Round(piece.P95Ms, 3));
            json.WriteNumberValue(piece.Ready);
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    private static void Texts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        if (texts.Count == 0)
            return;
        json.WriteStartArray(name);
        foreach (var text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }

    /// <summary>Nine digits: the last bits of a sum of doubles are nobody's business.</summary>
    private static void Number(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } known && double.IsFinite(known))
            json.WriteNumber(name, known == 0 ? 0 : Math.Round(known,
                Math.Clamp(8 - (int)Math.Log10(Math.Abs(known)), 0, 12)));
        else
            json.WriteNull(name);
    }
}

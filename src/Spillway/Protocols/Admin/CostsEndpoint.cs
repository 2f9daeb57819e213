using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spillway.Policies.Pricing;
using Spillway.Store.Ledger;

namespace Spillway.Protocols.Admin;

/// <summary>
/// GET /admin/v1/costs: what things cost, by tenant, model, owner, route, key or day, and what an answer would cost on
/// hardware that is busier or idler.
/// </summary>
internal sealed class CostsEndpoint(ServerContext server)
{
    private static readonly TimeSpan s_defaultPeriod = TimeSpan.FromHours(24);

    private static readonly Fault s_none = new(
        FaultKind.Unsupported,
        "This server keeps no ledger. Add the sections prices and ledger to its spillway.yaml, as in "
        + "docs/features/costs.md.");

    /// <summary>Answers one question.</summary>
    public async Task AnswerAsync(HttpContext http)
    {
        var fault = server.Costs is { Ledger: not null } ? null : s_none;
        CostQuery query = default;
        if (fault is null && !Parse(http.Request.Query).TryGet(out query, out fault))
            fault ??= s_none;
        if (fault is null)
        {
            await server.Costs!.SettleAsync().ConfigureAwait(false);
            if (server.Costs.Ledger!.Read(query).TryGet(out var report, out fault))
            {
                await AdminEndpoints.AnswerAsync(http, json => Write(json, query, report)).ConfigureAwait(false);
                return;
            }
        }

        await ErrorAnswer.WriteAsync(http, fault).ConfigureAwait(false);
    }

    private Outcome<CostQuery> Parse(IQueryCollection asked)
    {
        var by = asked.TryGetValue("by", out var word) ? word.ToString() : "tenant";
        if (!Enum.TryParse<CostGroup>(by, ignoreCase: true, out var group) || char.IsAsciiDigit(by[0]))
        {
            var words = string.Join(", ", Enum.GetNames<CostGroup>().Select(n => n.ToLowerInvariant()));
            return Fault.Invalid($"by: there is no group '{Cut(by)}'. Use one of: {words}.");
        }

        var now = server.Serving.Clock.Time.GetUtcNow();
        if (!Time(asked, "from", now - s_defaultPeriod).TryGet(out var from, out var fault)
            || !Time(asked, "to", now).TryGet(out var to, out fault))
            return fault;
        if (to < from)
            return Fault.Invalid($"to, {to:O}, is before from, {from:O}.");
        return new CostQuery(group, from, to)
        {
            Tenant = asked["tenant"].ToString(), Model = asked["model"].ToString(), Owner = asked["owner"].ToString(),
        };
    }

    private static Outcome<DateTimeOffset> Time(IQueryCollection asked, string name, DateTimeOffset otherwise)
    {
        if (!asked.TryGetValue(name, out var text))
            return otherwise;
        return DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time) && time.Year is >= 1970 and < 9999
            ? time
            : Fault.Invalid($"{name}: '{Cut(text.ToString())}' is no time. Write 2026-01-31 or 2026-01-31T08:00Z.");
    }

    private static string Cut(string text) => text.Length <= 60 ? text : text[..60] + "…";

    private void Write(Utf8JsonWriter json, in CostQuery query, CostReport report)
    {
        json.WriteStartObject();
        json.WriteString("currency", server.Snapshot.PriceList!.Currency);
        json.WriteString("by", query.By.ToString().ToLowerInvariant());
        json.WriteString("from", Hour(query.From.ToUnixTimeSeconds() / 3600));
        json.WriteString("to", Hour((query.To.ToUnixTimeSeconds() + 3599) / 3600));
        json.WriteStartArray("groups");
        foreach (var group in report.Groups)
            WriteSums(json, group);
        json.WriteEndArray();
        json.WriteNumber("groups_omitted", report.GroupsOmitted);
        json.WritePropertyName("total");
        WriteSums(json, report.Total);
        json.WriteStartArray("hardware");
        foreach (var hardware in report.Hardware)
            WriteHardware(json, hardware);
        json.WriteEndArray();
        WriteLedger(json, report);
        json.WriteEndObject();
    }

    private static void WriteSums(Utf8JsonWriter json, CostSums sums)
    {
        json.WriteStartObject();
        json.WriteString("name", sums.Name);
        json.WriteNumber("answers", sums.Answers);
        json.WriteNumber("rows", sums.Rows);
        if (sums.InputTokens + sums.OutputTokens > 0)
        {
            json.WriteNumber("input_tokens", sums.InputTokens);
            json.WriteNumber("output_tokens", sums.OutputTokens);
        }

        json.WriteNumber("wasted_requests", sums.Wasted);
        json.WriteNumber("busy_seconds", TimeSpan.FromTicks(sums.BusyTicks).TotalSeconds);
        json.WriteString("billed", sums.Billed.ToString());
        json.WriteString("waste", sums.Waste.ToString());
        json.WriteString("idle", sums.Idle.ToString());
        json.WriteString("total", sums.Total.ToString());
        if (sums.Answers > 0)
            json.WriteString("per_answer", new Money(sums.Total.Nano / sums.Answers).ToString());
        json.WriteEndObject();
    }

    private static void WriteHardware(Utf8JsonWriter json, HardwareCosts hardware)
    {
        var all = Use(hardware.All, hardware.All.Idle, hardware.PeakBusyShare);
        json.WriteStartObject();
        json.WriteString("name", hardware.Name);
        json.WriteString("busy", all.Busy.ToString());
        json.WriteString("idle", all.Idle.ToString());
        json.WriteNumber("busy_share", all.BusyShare);
        json.WriteNumber("peak_busy_share", all.PeakBusyShare);
        json.WriteNumber("target_busy_share", UsageCurve.Target);
        json.WriteNumber("right_size", UsageCurve.RightSize(all));
        json.WriteString("saving", UsageCurve.Saving(all).ToString());
        json.WriteStartArray("models");
        foreach (var model in hardware.Models.Where(m => m.Answers > 0))
        {
            // Its part of the idle time as its part of the busy time: so its curve is about this hardware's busy share.
            var busy = (model.BilledTime + model.WasteTime).Nano;
            var idle = all.Busy.Nano > 0 ? (long)((Int128)all.Idle.Nano * busy / all.Busy.Nano) : 0;
            WriteModel(json, model.Name, Use(model, new(idle), hardware.PeakBusyShare));
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, string name, HardwareUse use)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteNumber("answers", use.Answers);
        if (use.BusyShare > 0)
            json.WriteString("per_answer", UsageCurve.At(use, use.BusyShare).ToString());
        json.WriteString("per_answer_full", UsageCurve.At(use, UsageCurve.Full).ToString());
        json.WriteNumber("full_busy_share", UsageCurve.Full);
        json.WriteNumber("times_full", Math.Round(UsageCurve.TimesFull(use), 3));
        json.WriteStartArray("curve");
        foreach (var point in UsageCurve.Points(use))
        {
            json.WriteStartObject();
            json.WriteNumber("busy_share", point.BusyShare);
            json.WriteString("per_answer", point.Answer.ToString());
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteLedger(Utf8JsonWriter json, CostReport report)
    {
        var state = server.Costs!.Ledger!.Look();
        json.WriteStartObject("ledger");
        json.WriteNumber("missing_entries", report.Missing.Entries);
        json.WriteString("missing_amount", new Money(report.Missing.Nano).ToString());
        json.WriteNumber("waiting", state.Waiting);
        json.WriteString("trouble", state.Trouble?.Message ?? "");
        json.WriteEndObject();
    }

    private static HardwareUse Use(CostSums sums, Money idle, double peak) => new(
        sums.BilledTime + sums.WasteTime, idle, sums.Billed - sums.BilledTime + (sums.Waste - sums.WasteTime),
        sums.Answers, peak);

    private static string Hour(long hour) => DateTimeOffset.FromUnixTimeSeconds(hour * 3600)
        .ToString("yyyy-MM-ddTHH:mmZ", CultureInfo.InvariantCulture);
}

using System.Text.Json;
using Spillway.Engine.Drills;
using Spillway.Policies.Drills;
using Spillway.Store.Drills;

namespace Spillway.Protocols.Admin;

/// <summary>Drills as the Admin protocol tells them.</summary>
internal static class DrillJson
{
    /// <summary>Earlier drills that are told of; each is read from the disk.</summary>
    private const int HistoryMax = 20;

    /// <summary>Everything: whether it may, what runs, what each would break, and what was kept.</summary>
    public static void Write(Utf8JsonWriter json, DrillDesk desk, string state)
    {
        json.WriteStartObject();
        json.WriteBoolean("drillable", desk.Refusal is null);
        if (desk.Refusal is { } refused)
            json.WriteString("why_not", refused.Message);
        json.WritePropertyName("running");
        if (desk.Running is { } run)
            Write(json, run, desk);
        else
            json.WriteNullValue();
        json.WriteStartArray("drills");
        foreach (var kind in Enum.GetValues<DrillKind>())
            WriteOne(json, kind, desk);
        json.WriteEndArray();
        json.WriteStartArray("kept");
        foreach (var id in DrillFiles.Ids(state).Take(HistoryMax))
            WriteKept(json, state, id);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>One that runs.</summary>
    public static void Write(Utf8JsonWriter json, DrillRun run, DrillDesk desk)
    {
        json.WriteStartObject();
        json.WriteString("id", run.Id);
        WriteOrder(json, run.Order);
        json.WriteString("who", run.Who);
        json.WriteNumber("ttl_ms", run.Ttl.TotalMilliseconds);
        json.WriteBoolean("runs", desk.Running?.Id == run.Id);
        json.WriteEndObject();
    }

    /// <summary>Whether some bytes are a JSON object, as deep as one of these may be.</summary>
    public static bool IsEvidence(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body, new() { MaxDepth = 16 });
            return json.RootElement.ValueKind is JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static void WriteOrder(Utf8JsonWriter json, DrillOrder order)
    {
        json.WriteString("drill", DrillWords.Of(order.Kind));
        json.WriteString("served", order.Served);
        json.WriteString("text", order.Text);
        if (order.StepsMax > 0)
            json.WriteNumber("steps_max", order.StepsMax);
        if (order.Upstream.Length > 0)
        {
            json.WriteString("upstream", order.Upstream);
            json.WriteString("target", order.Target.Length > 0 ? order.Target : "all");
        }

        if (order.Deployment.Length > 0)
            json.WriteString("model", order.Deployment);
    }

    private static void WriteOne(Utf8JsonWriter json, DrillKind kind, DrillDesk desk)
    {
        json.WriteStartObject();
        json.WriteString("name", DrillWords.Of(kind));
        json.WriteString("what", DrillWords.What(kind));
        if (desk.Aim(new(kind)).TryGet(out var order, out var missing))
        {
            json.WriteString("served", order.Served);
            json.WriteString("would", order.Text);
        }
        else
        {
            json.WriteString("needs", missing.Message);
        }

        json.WriteEndObject();
    }

    /// <summary>Its first words; a file that somebody damaged is told by its name alone.</summary>
    private static void WriteKept(Utf8JsonWriter json, string state, string id)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        if (DrillFiles.Read(state, id).TryGet(out var kept, out _) && IsEvidence(kept))
        {
            using var file = JsonDocument.Parse(kept, new() { MaxDepth = 16 });
            foreach (var name in (string[])["drill", "served", "verdict"])
            {
                if (file.RootElement.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String)
                    json.WriteString(name, value.GetString());
            }
        }

        json.WriteEndObject();
    }
}

using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Spillway.Telemetry;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// Triton's trace settings as far as they mean something here. What is traced are the records of recent requests, with
/// their stages and decisions, which explain and the admin protocol read: level, rate and count say which are kept.
/// Values are texts, as Triton has them; numbers are taken too.
/// </summary>
internal static class TraceSettings
{
    private const string Off = "OFF";
    private const string Timestamps = "TIMESTAMPS";

    /// <summary>The settings in force.</summary>
    public static void Write(TraceSetting setting, IBufferWriter<byte> into)
    {
        using var json = new Utf8JsonWriter(into);
        json.WriteStartObject();
        json.WriteStartArray("trace_level"u8);
        json.WriteStringValue(setting.On ? Timestamps : Off);
        json.WriteEndArray();
        json.WriteString("trace_rate"u8, setting.Rate.ToString(CultureInfo.InvariantCulture));
        json.WriteString("trace_count"u8, setting.Count.ToString(CultureInfo.InvariantCulture));
        json.WriteString("log_frequency"u8, "0"u8);
        json.WriteString("trace_file"u8, ""u8);
        json.WriteString("trace_mode"u8, "spillway"u8);
        json.WriteEndObject();
    }

    /// <summary>
    /// Takes the members of a POST, all or none. null gives a member its default: the server's value for a served name.
    /// A served name whose every member is null follows the server again.
    /// </summary>
    public static Fault? Change(JsonElement body, TraceControl control, TraceControl server)
    {
        var normal = ReferenceEquals(control, server) ? TraceSetting.Everything : server.Setting;
        var (setting, own) = (control.Setting, false);
        foreach (var member in body.EnumerateObject())
        {
            own |= member.Value.ValueKind is not JsonValueKind.Null;
            if (Change(member, normal, ref setting) is { } fault)
                return fault;
        }

        var follows = !own && setting == normal && !ReferenceEquals(control, server);
        if (body.EnumerateObject().Any())
            control.Set(follows ? null : setting);
        return null;
    }

    private static Fault? Change(JsonProperty member, TraceSetting normal, ref TraceSetting setting)
    {
        var isNull = member.Value.ValueKind is JsonValueKind.Null;
        switch (member.Name)
        {
            case "trace_level":
                var on = normal.On;
                if (!isNull && Level(member.Value, out on) is { } unfit)
                    return unfit;
                setting = setting with { On = on };
                return null;
            case "trace_rate":
                var rate = normal.Rate;
                if (!isNull && !TryNumber(member.Value, least: 1, out rate))
                    return Wrong(member, "a whole number from 1: every so manyth request is kept");
                setting = setting with { Rate = rate };
                return null;
            case "trace_count":
                var count = normal.Count;
                if (!isNull && !TryNumber(member.Value, least: -1, out count))
                    return Wrong(member, "a whole number: so many more requests are kept, -1 for no limit");
                setting = setting with { Count = count };
                return null;
            default:
                return isNull ? null : Fixed(member);
        }
    }

    /// <summary>What Triton has and this server answers as fixed: only the value that is in force is taken.</summary>
    private static Fault? Fixed(JsonProperty member) => (member.Name, Text(member.Value)) switch
    {
        ("trace_file", "") or ("log_frequency", "0") or ("trace_mode", "spillway") => null,
        ("trace_file" or "log_frequency", _) => RequestFaults.Unsupported(
            $"trace setting '{member.Name}'",
            "requests are traced in memory: read them with GET /admin/v1/requests or `spillway explain`"),
        ("trace_mode", _) => RequestFaults.Unsupported(
            "another trace_mode than 'spillway'", "exporting traces is a matter of the server's configuration"),
        _ => Fault.Invalid(
            $"unknown trace setting '{Short(member.Name)}'; there are trace_level, trace_rate, trace_count, "
            + "log_frequency, trace_file and trace_mode"),
    };

    /// <summary>One level or several; TENSORS would keep what callers send, which records never do.</summary>
    private static Fault? Level(JsonElement value, out bool on)
    {
        on = false;
        var levels = value.ValueKind is JsonValueKind.Array ? value.EnumerateArray().Select(Text) : [Text(value)];
        foreach (var level in levels)
        {
            if (level is "TENSORS")
            {
                return RequestFaults.Unsupported(
                    "trace_level TENSORS", "records never hold inputs or outputs; use TIMESTAMPS or OFF");
            }

            if (level is not (Off or Timestamps))
            {
                var shown = Short(level ?? value.ValueKind.ToString());
                return Fault.Invalid($"trace_level '{shown}' is unknown; use TIMESTAMPS or OFF");
            }

            on |= level is Timestamps;
        }

        return null;
    }

    private static bool TryNumber(JsonElement value, long least, out long number) =>
        long.TryParse(Text(value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number)
        && number >= least;

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.Array when value.GetArrayLength() == 1 => Text(value[0]),
        _ => null,
    };

    private static Fault Wrong(JsonProperty member, string rule) =>
        Fault.Invalid($"trace setting '{member.Name}' is {rule}; it got {Short(member.Value.GetRawText())}");

    private static string Short(string text) => text.Length > 100 ? text[..100] + "…" : text;
}

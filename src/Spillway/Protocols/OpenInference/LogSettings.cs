using System.Buffers;
using System.Text.Json;
using Spillway.Telemetry;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// Triton's log settings. The levels change what the server writes from that moment on; the log goes to standard output
/// in one format, so log_file and log_format are answered as they are and refused otherwise.
/// </summary>
internal static class LogSettings
{
    private const string Format = "ISO8601";

    /// <summary>The settings in force.</summary>
    public static void Write(LogSetting setting, IBufferWriter<byte> into)
    {
        using var json = new Utf8JsonWriter(into);
        json.WriteStartObject();
        json.WriteString("log_file"u8, ""u8);
        json.WriteBoolean("log_info"u8, setting.Information);
        json.WriteBoolean("log_warning"u8, setting.Warning);
        json.WriteBoolean("log_error"u8, setting.Error);
        json.WriteNumber("log_verbose_level"u8, setting.VerboseLevel);
        json.WriteString("log_format"u8, Format);
        json.WriteEndObject();
    }

    /// <summary>Takes the members of a POST, all or none.</summary>
    public static Fault? Change(JsonElement body, LogSwitch log)
    {
        var setting = log.Setting;
        foreach (var member in body.EnumerateObject())
        {
            if (Change(member, ref setting) is { } fault)
                return fault;
        }

        log.Setting = setting;
        return null;
    }

    private static Fault? Change(JsonProperty member, ref LogSetting setting)
    {
        if (member.Name is "log_verbose_level")
        {
            if (member.Value.ValueKind is not JsonValueKind.Number || !member.Value.TryGetUInt32(out var level))
                return Wrong(member, "a whole number from 0");
            setting = setting with { VerboseLevel = level };
            return null;
        }

        if (member.Name is not ("log_info" or "log_warning" or "log_error"))
            return Fixed(member);
        if (member.Value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            return Wrong(member, "true or false");
        var on = member.Value.GetBoolean();
        setting = member.Name switch
        {
            "log_info" => setting with { Information = on },
            "log_warning" => setting with { Warning = on },
            _ => setting with { Error = on },
        };
        return null;
    }

    private static Fault? Fixed(JsonProperty member)
    {
        var text = member.Value.ValueKind is JsonValueKind.String ? member.Value.GetString() : null;
        return (member.Name, text) switch
        {
            ("log_file", "") or ("log_format", Format) => null,
            ("log_file", _) => RequestFaults.Unsupported(
                "log setting 'log_file'", "the log goes to standard output: redirect it where the server is started"),
            ("log_format", _) => RequestFaults.Unsupported("another log_format than 'ISO8601'", "leave it out"),
            _ => Fault.Invalid(
                $"unknown log setting '{Short(member.Name)}'; there are log_file, log_info, log_warning, log_error, "
                + "log_verbose_level and log_format"),
        };
    }

    private static Fault Wrong(JsonProperty member, string rule) =>
        Fault.Invalid($"log setting '{member.Name}' is {rule}; it got {Short(member.Value.GetRawText())}");

    private static string Short(string text) => text.Length > 100 ? text[..100] + "…" : text;
}

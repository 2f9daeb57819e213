using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Spillway.App.Cli.Keys;

/// <summary>What a new key is to be, from the command line to the admin protocol's JSON.</summary>
internal sealed class OrderOptions
{
    private readonly Option<string> _tenant = new("--tenant")
    {
        Description = "Who pays: one of the configuration's tenants, where it has any.", Required = true,
            HelpName = "name",
    };

    private readonly Option<string> _name = new("--name")
    {
        Description = "What you call it, to tell it from others.", HelpName = "text",
    };

    private readonly Option<string[]> _role = new("--role")
    {
        Description = "caller (asks models), operator (administers), auditor (reads audit and costs); repeatable. By "
            + "default caller.",
    };

    private readonly Option<string[]> _model = new("--model")
    {
        Description = "A served name that it may use; repeatable. By default all.", HelpName = "name",
    };

    private readonly Option<string> _env = new("--env")
    {
        Description = "A label inside the key: live, test … By default live.", HelpName = "label",
    };

    private readonly Option<string?> _expires = new("--expires")
    {
        Description = "It works that long, as 12h or 90d. By default for ever.", HelpName = "time",
    };

    private readonly Option<bool> _labelOnly = new("--label-only")
    {
        Description = "It sees labels and texts only; outputs of floating-point numbers are left out.",
    };

    private readonly Option<int?> _topK = new("--top-k")
    {
        Description = "It sees that many of the best classes, where a model gives classes.", HelpName = "n",
    };

    private readonly Option<int?> _decimals = new("--decimals")
    {
        Description = "It sees floating-point outputs rounded to that many decimals, 0 to 9.", HelpName = "n",
    };

    private readonly Option<string?> _criticality = new("--criticality")
    {
        Description = "The most that its requests may matter in an overload: sheddable, sheddable-plus, critical (by "
            + "default) or critical-plus.",
        HelpName = "class",
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _tenant, _name, _role, _model, _env, _expires, _labelOnly, _topK,
            _decimals, _criticality })
            command.Add(option);
    }

    /// <summary>The order as JSON.</summary>
    public byte[] Read(ParseResult parsed)
    {
        var into = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(into))
        {
            json.WriteStartObject();
            json.WriteString("tenant", parsed.GetValue(_tenant));
            if (parsed.GetValue(_name) is { } name)
                json.WriteString("name", name);
            if (parsed.GetValue(_env) is { } environment)
                json.WriteString("environment", environment);
            Write(json, "roles", parsed.GetValue(_role) ?? []);
            Write(json, "models", parsed.GetValue(_model) ?? []);
            if (parsed.GetValue(_expires) is { } expires)
                json.WriteNumber("lifetime_s", Seconds("--expires", expires));
            if (parsed.GetValue(_labelOnly))
                json.WriteBoolean("label_only", true);
            if (parsed.GetValue(_topK) is { } topK)
                json.WriteNumber("top_k", topK);
            if (parsed.GetValue(_decimals) is { } decimals)
                json.WriteNumber("decimals", decimals);
            if (parsed.GetValue(_criticality) is { } criticality)
                json.WriteString("criticality", criticality);
            json.WriteEndObject();
        }

        return into.WrittenSpan.ToArray();
    }

    /// <summary>A span of time as people write it: 30s, 15m, 12h, 90d, or 0.</summary>
    public static long Seconds(string option, string text)
    {
        var unit = text.Length == 0 ? 0 : text[^1] switch
        {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => text == "0" ? 1 : 0,
        };
        var digits = text == "0" ? text : text[..^Math.Min(1, text.Length)];
        if (unit > 0 && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return (long)unit * number;
        throw new CommandException($"{option} '{text}' is no span of time. Write 30m, 12h or 90d.", Commands.Usage);
    }

    private static void Write(Utf8JsonWriter json, string name, string[] values)
    {
        if (values.Length == 0)
            return;
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}

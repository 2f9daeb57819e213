using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Spillway.Policies.Chains;

/// <summary>
/// A JSON schema that a text must hold to: a subset of JSON Schema 2020-12, small enough to be bounded in time and
/// memory. A keyword beyond it is refused when the schema is read, for one that is passed over in silence would let
/// pass what its author thinks is caught. Immutable; a pure function of the text.
/// </summary>
internal sealed class AnswerSchema
{
    /// <summary>How deep a schema and a text may be.</summary>
    public const int DepthMax = 32;

    /// <summary>Every keyword; those of the last line say nothing of a text.</summary>
    public static readonly IReadOnlyList<string> Keywords =
    [
        "type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "enum", "minimum",
        "maximum", "minLength", "maxLength", "pattern",
        "$schema", "title", "description",
    ];

    private static readonly string[] s_types = ["object", "array", "string", "number", "integer", "boolean", "null"];

    private readonly Dictionary<string, AnswerSchema> _properties = new(StringComparer.Ordinal);
    private string[]? _types;
    private string[] _required = [];
    private JsonElement[]? _enum;
    private AnswerSchema? _items;
    private Regex? _pattern;
    private bool _others = true;
    private (double Least, double Most) _value = (double.NegativeInfinity, double.PositiveInfinity);
    private (long Least, long Most) _length = (0, long.MaxValue);
    private (long Least, long Most) _count = (0, long.MaxValue);

    private AnswerSchema()
    {
    }

    /// <summary>Reads a schema; null, with what is wrong with it, when it is none of the subset.</summary>
    public static AnswerSchema? Read(string text, out string problem)
    {
        try
        {
            using var json = JsonDocument.Parse(text, new() { MaxDepth = DepthMax });
            problem = "";
            return Read(json.RootElement, "");
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException or NotSupportedException
            or InvalidOperationException)
        {
            problem = e.Message.TrimEnd('.');
            return null;
        }
    }

    /// <summary>Why a text does not hold to it, with nothing of the text; null when it does.</summary>
    /// <param name="utf8">JSON.</param>
    public string? Judge(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, new() { MaxDepth = DepthMax });
        try
        {
            using var json = JsonDocument.ParseValue(ref reader);
            return utf8[(int)reader.BytesConsumed..].ContainsAnyExcept(" \r\n\t"u8) ? "has more behind its JSON"
                : Judge(json.RootElement, "$");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second for half a surrogate pair, which is JSON and no text.
            return "is no JSON";
        }
    }

    private static AnswerSchema Read(JsonElement json, string path)
    {
        if (json.ValueKind is not JsonValueKind.Object)
            throw new FormatException($"{Place(path)} is no object");
        var schema = new AnswerSchema();
        foreach (var keyword in json.EnumerateObject())
        {
            if (!schema.TryTake(keyword.Name, keyword.Value, $"{path}/{keyword.Name}"))
            {
                throw new FormatException($"{Place(path)} has the keyword '{keyword.Name}'; known are "
                    + string.Join(", ", Keywords));
            }
        }

        return schema;
    }

    private bool TryTake(string keyword, JsonElement value, string path)
    {
        switch (keyword)
        {
            case "type":
                _types = value.ValueKind is JsonValueKind.Array ? Texts(value) : [value.GetString()!];
                if (_types.FirstOrDefault(t => !s_types.Contains(t)) is { } unknown)
                    throw new FormatException($"{path} is '{unknown}'; types are {string.Join(", ", s_types)}");
                return true;
            case "properties":
                foreach (var property in value.EnumerateObject())
                    _properties[property.Name] = Read(property.Value, $"{path}/{property.Name}");
                return true;
            case "required":
                _required = Texts(value);
                return true;
            case "additionalProperties":
                _others = value.GetBoolean();
                return true;
            case "items":
                _items = Read(value, path);
                return true;
            case "enum":
                _enum = [.. value.EnumerateArray().Select(v => v.Clone())];
                return true;
            default:
                return TryTakeBound(keyword, value);
        }
    }

    private bool TryTakeBound(string keyword, JsonElement value)
    {
        switch (keyword)
        {
            case "minimum":
                _value.Least = value.GetDouble();
                return true;
            case "maximum":
                _value.Most = value.GetDouble();
                return true;
            case "minLength":
                _length.Least = value.GetInt64();
                return true;
            case "maxLength":
                _length.Most = value.GetInt64();
                return true;
            case "minItems":
                _count.Least = value.GetInt64();
                return true;
            case "maxItems":
                _count.Most = value.GetInt64();
                return true;
            case "pattern":
                _pattern = new(value.GetString()!, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
                return true;
            default:
                return keyword is "$schema" or "title" or "description";
        }
    }

    private string? Judge(JsonElement value, string path)
    {
        if (_types is not null && !_types.Any(type => IsOf(type, value)))
            return $"is no {string.Join(" or ", _types)} at {path}";
        if (_enum is not null && !_enum.Any(one => JsonElement.DeepEquals(one, value)))
            return $"is none of the values that are allowed at {path}";
        return value.ValueKind switch
        {
            JsonValueKind.Object => JudgeObject(value, path),
            JsonValueKind.Array => JudgeArray(value, path),
            JsonValueKind.String => JudgeText(value.GetString()!, path),
            JsonValueKind.Number => JudgeNumber(value.GetDouble(), path),
            JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null or JsonValueKind.Undefined => null,
        };
    }

    private string? JudgeObject(JsonElement value, string path)
    {
        foreach (var name in _required)
        {
            if (!value.TryGetProperty(name, out _))
                return $"has no '{name}' at {path}";
        }

        foreach (var property in value.EnumerateObject())
        {
            if (_properties.TryGetValue(property.Name, out var schema))
            {
                if (schema.Judge(property.Value, $"{path}.{property.Name}") is { } reason)
                    return reason;
            }
            else if (!_others)
            {
                return $"has a property at {path} that is not declared";
            }
        }

        return null;
    }

    private string? JudgeArray(JsonElement value, string path)
    {
        var count = value.GetArrayLength();
        if (count < _count.Least || count > _count.Most)
            return Text($"has {count} items at {path}, {_count.Least} to {_count.Most} are asked for");
        if (_items is null)
            return null;
        var i = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (_items.Judge(item, Text($"{path}[{i++}]")) is { } reason)
                return reason;
        }

        return null;
    }

    private string? JudgeText(string text, string path)
    {
        var length = text.EnumerateRunes().LongCount();
        if (length < _length.Least || length > _length.Most)
            return Text($"has {length} characters at {path}, {_length.Least} to {_length.Most} are asked for");
        return _pattern?.IsMatch(text) is false ? $"does not match the pattern at {path}" : null;
    }

    private string? JudgeNumber(double number, string path) => number >= _value.Least && number <= _value.Most ? null
        : Text($"is out of its range at {path}: {_value.Least} to {_value.Most} is asked for");

    private static bool IsOf(string type, JsonElement value) => type switch
    {
        "object" => value.ValueKind is JsonValueKind.Object,
        "array" => value.ValueKind is JsonValueKind.Array,
        "string" => value.ValueKind is JsonValueKind.String,
        "number" => value.ValueKind is JsonValueKind.Number,
        "integer" => value.ValueKind is JsonValueKind.Number && double.IsInteger(value.GetDouble()),
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        _ => value.ValueKind is JsonValueKind.Null,
    };

    private static string[] Texts(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetString()!)];

    private static string Place(string path) => path.Length == 0 ? "the schema" : path;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

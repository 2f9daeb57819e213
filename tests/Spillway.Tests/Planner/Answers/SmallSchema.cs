using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Spillway.Tests.Planner.Answers;

/// <summary>
/// Holds a YAML object against a schema: types, required and known fields, bounds, patterns. A field that the schema
/// does not know is a mistake, and so is a number that YAML would read as text, or the other way round.
/// </summary>
internal sealed class SmallSchema(JsonElement root)
{
    private readonly List<string> _mistakes = [];

    /// <summary>What is wrong, each with its place; empty for nothing.</summary>
    public IReadOnlyList<string> Check(string definition, YamlNode node)
    {
        _mistakes.Clear();
        Check(root.GetProperty("$defs").GetProperty(definition), node, definition);
        return [.. _mistakes];
    }

    private void Check(JsonElement schema, YamlNode node, string at)
    {
        if (schema.TryGetProperty("$ref", out var other))
            schema = root.GetProperty("$defs").GetProperty(other.GetString()!);
        if (schema.TryGetProperty("const", out var only))
        {
            Expect((node as YamlScalarNode)?.Value == only.GetString(), at, $"is {node}, not {only}");
            return;
        }

        switch (schema.GetProperty("type").GetString())
        {
            case "object":
                Object(schema, node, at);
                break;
            case "array":
                Array(schema, node, at);
                break;
            case "integer":
                Integer(schema, node, at);
                break;
            case "string":
                Text(schema, node, at);
                break;
            case var kind:
                throw new InvalidOperationException($"The schema has a type {kind} at {at}.");
        }
    }

    private void Object(JsonElement schema, YamlNode node, string at)
    {
        if (node is not YamlMappingNode map)
        {
            Expect(false, at, "is no object");
            return;
        }

        var fields = map.Children.ToDictionary(c => ((YamlScalarNode)c.Key).Value!, c => c.Value);
        if (schema.TryGetProperty("required", out var required))
        {
            foreach (var name in required.EnumerateArray().Select(n => n.GetString()!))
                Expect(fields.ContainsKey(name), at, $"lacks {name}");
        }

        foreach (var (name, value) in fields)
        {
            if (schema.TryGetProperty("values", out var each))
                Check(each, value, $"{at}.{name}");
            else if (schema.GetProperty("properties").TryGetProperty(name, out var known))
                Check(known, value, $"{at}.{name}");
            else
                Expect(false, at, $"has a field {name} that its kind does not have");
        }
    }

    private void Array(JsonElement schema, YamlNode node, string at)
    {
        var items = (node as YamlSequenceNode)?.Children;
        Expect(items is not null, at, "is no list");
        Expect(!schema.TryGetProperty("minItems", out var least) || items?.Count >= least.GetInt32(), at,
            "is too short");
        for (var i = 0; i < (items?.Count ?? 0); i++)
            Check(schema.GetProperty("items"), items![i], $"{at}[{i}]");
    }

    private void Integer(JsonElement schema, YamlNode node, string at)
    {
        if (node is not YamlScalarNode { Style: ScalarStyle.Plain } scalar
            || !long.TryParse(scalar.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
        {
            Expect(false, at, $"is {node}, which is no whole number");
            return;
        }

        Expect(!schema.TryGetProperty("minimum", out var least) || value >= least.GetInt64(), at,
            $"is {value}: too small");
        Expect(!schema.TryGetProperty("maximum", out var most) || value <= most.GetInt64(), at,
            $"is {value}: too large");
    }

    private void Text(JsonElement schema, YamlNode node, string at)
    {
        var scalar = node as YamlScalarNode;
        // A plain scalar that looks like a number or a truth is none of text.
        var isText = scalar is not null && (scalar.Style is not ScalarStyle.Plain
            || !(double.TryParse(scalar.Value, CultureInfo.InvariantCulture, out _)
                || scalar.Value is "true" or "false"));
        Expect(isText, at, $"is {node}, which is no text");
        Expect(!schema.TryGetProperty("pattern", out var pattern)
            || Regex.IsMatch(scalar?.Value ?? "", pattern.GetString()!, RegexOptions.None, TimeSpan.FromSeconds(5)),
            at, $"is {node}, which does not look like {(schema.TryGetProperty("pattern", out var p) ? p : default)}");
    }

    private void Expect(bool holds, string at, string mistake)
    {
        if (!holds)
            _mistakes.Add($"{at} {mistake}");
    }
}

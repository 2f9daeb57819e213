using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Spillway.Config;

/// <summary>
/// JSON Schema (draft 2020-12) of the two configuration files, for editors. Made from the options classes, so it
/// cannot say something else than the loader.
/// </summary>
public static class ConfigSchema
{
    private static readonly JsonWriterOptions s_layout = new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // the result is a file, never part of a page
    };

    /// <summary>The schema of spillway.yaml, ending with a line break.</summary>
    public static string WriteRoot() => Text(json =>
    {
        Head(json, "spillway.yaml", "A Spillway server and the models that it serves.");
        Section(json, typeof(SpillwayOptions));
    });

    /// <summary>The schema of model.yaml, ending with a line break.</summary>
    /// <param name="runtimeOptions">The options class of each runtime by its name.</param>
    public static string WriteModel(IReadOnlyDictionary<string, Type> runtimeOptions) => Text(json =>
    {
        Head(json, "model.yaml", "One model version that Spillway serves.");
        Section(json, typeof(ModelOptions), runtimeOptions);
        OneRuntime(json, runtimeOptions, new ModelOptions().Runtime);
    });

    private static string Text(Action<Utf8JsonWriter> content)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, s_layout))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + "\n";
    }

    private static void Head(Utf8JsonWriter json, string title, string description)
    {
        json.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
        json.WriteString("title", title);
        json.WriteString("description", description);
        json.WriteString("type", "object");
    }

    private static void Section(Utf8JsonWriter json, Type type, IReadOnlyDictionary<string, Type>? runtimes = null)
    {
        var members = OptionSet.Of(type);
        json.WriteStartObject("properties");
        foreach (var member in members)
        {
            json.WriteStartObject(member.Key);
            Described(json, member);
            var words = runtimes is not null && member.Property.Name == nameof(ModelOptions.Runtime)
                ? [.. runtimes.Keys]
                : OptionSet.Words(member.Shape, member.Option);
            Shape(json, member.Shape, member.Option, words);
            Default(json, member);
            json.WriteEndObject();
        }

        foreach (var (name, options) in runtimes ?? new Dictionary<string, Type>())
        {
            json.WriteStartObject(name);
            json.WriteString("description", $"Options of the {name} runtime.");
            Shape(json, new(OptionKind.Section, options), new(""), []);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteStartArray("required");
        foreach (var member in members.Where(m => m.Option.Required))
            json.WriteStringValue(member.Key);
        json.WriteEndArray();
        json.WriteBoolean("additionalProperties", false);
    }

    private static void Described(Utf8JsonWriter json, OptionMember member)
    {
        var unit = member.Option.Unit.Length > 0 ? $" Unit: {member.Option.Unit}." : "";
        json.WriteString("description", member.Option.Description + unit);
    }

    private static void Default(Utf8JsonWriter json, OptionMember member)
    {
        if (member.Option.Required || OptionText.Value(member.Default).Length == 0)
            return;
        json.WritePropertyName("default");
        EffectiveJson.Value(json, member.Default, member.Shape);
    }

    private static void Shape(Utf8JsonWriter json, OptionShape shape, OptionAttribute option,
        IReadOnlyList<string> words)
    {
        switch (shape.Kind)
        {
            case OptionKind.Text or OptionKind.Word:
                json.WriteString("type", "string");
                Words(json, words);
                if (option.Required)
                    json.WriteNumber("minLength", 1);
                break;
            case OptionKind.Switch:
                json.WriteString("type", "boolean");
                break;
            case OptionKind.Whole or OptionKind.Number:
                json.WriteString("type", shape.Kind == OptionKind.Whole ? "integer" : "number");
                Range(json, shape, option);
                break;
            case OptionKind.List:
                json.WriteString("type", "array");
                if (option.Required)
                    json.WriteNumber("minItems", 1);
                Element(json, "items", shape, option, words);
                break;
            case OptionKind.Map:
                Nullable(json, !option.Required);
                if (shape.Key == typeof(int))
                    Digits(json);
                if (option.Required)
                    json.WriteNumber("minProperties", 1);
                Element(json, "additionalProperties", shape, option, words);
                break;
            case OptionKind.Section:
                Nullable(json, OptionSet.Of(shape.Type).All(m => !m.Option.Required));
                Section(json, shape.Type);
                break;
        }
    }

    private static void Element(
        Utf8JsonWriter json, string name, OptionShape shape, OptionAttribute option, IReadOnlyList<string> words)
    {
        json.WriteStartObject(name);
        Shape(json, shape.Element!, option, words);
        json.WriteEndObject();
    }

    private static void Words(Utf8JsonWriter json, IReadOnlyList<string> words)
    {
        if (words.Count == 0)
            return;
        json.WriteStartArray("enum");
        foreach (var word in words)
            json.WriteStringValue(word);
        json.WriteEndArray();
    }

    private static void Range(Utf8JsonWriter json, OptionShape shape, OptionAttribute option)
    {
        var (min, max) = OptionText.Range(shape, option);
        if (double.IsFinite(min) && min > long.MinValue)
            Number(json, "minimum", min);
        if (double.IsFinite(max) && max < long.MaxValue)
            Number(json, "maximum", max);
    }

    private static void Number(Utf8JsonWriter json, string name, double value)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(OptionText.Number(value));
    }

    private static void Digits(Utf8JsonWriter json)
    {
        json.WriteStartObject("propertyNames");
        json.WriteString("pattern", "^(0|[1-9][0-9]*)$");
        json.WriteEndObject();
    }

    /// <summary>A section whose keys are all commented out reads as null, which is the same as none.</summary>
    private static void Nullable(Utf8JsonWriter json, bool isNullable)
    {
        if (!isNullable)
        {
            json.WriteString("type", "object");
            return;
        }

        json.WriteStartArray("type");
        json.WriteStringValue("object");
        json.WriteStringValue("null");
        json.WriteEndArray();
    }

    /// <summary>
    /// A section of a runtime stands only beside that runtime, and stands there if it has required keys.
    /// </summary>
    private static void OneRuntime(Utf8JsonWriter json, IReadOnlyDictionary<string, Type> runtimes, string usual)
    {
        json.WriteStartArray("allOf");
        foreach (var (runtime, options) in runtimes)
        {
            json.WriteStartObject();
            json.WriteStartObject("if");
            json.WriteStartObject("properties");
            json.WriteStartObject("runtime");
            json.WriteString("const", runtime);
            json.WriteEndObject();
            json.WriteEndObject();
            if (runtime != usual)
            {
                json.WriteStartArray("required");
                json.WriteStringValue("runtime");
                json.WriteEndArray();
            }

            json.WriteEndObject();
            json.WriteStartObject("then");
            if (OptionSet.Of(options).Any(m => m.Option.Required))
            {
                json.WriteStartArray("required");
                json.WriteStringValue(runtime);
                json.WriteEndArray();
            }

            json.WriteStartObject("properties");
            foreach (var other in runtimes.Keys.Where(r => r != runtime))
                json.WriteBoolean(other, false);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}

using System.Globalization;

namespace Spillway.Config.Triton;

/// <summary>
/// Holds a tree against the schema: unknown fields with a suggestion, wrong types, ranges, fields given twice. Gives a
/// clean tree: names in snake_case, each once; repeated fields as lists, maps as lists of key and value; numbers in
/// decimal, switches as true or false, enums by their full names. Goes on after an error, so that all are found at
/// once.
/// </summary>
/// <param name="json">True for the JSON form: camelCase names, objects as maps, numbers in quotes.</param>
/// <param name="errors">Takes the errors.</param>
internal sealed class ProtoCheck(bool json, ErrorList errors)
{
    /// <summary>The clean tree of a message; what was wrong is left out.</summary>
    public ProtoMessage Clean(ProtoMessage message, string type, string path)
    {
        var specs = ProtoSchema.Of(type);
        var order = new List<string>();
        var values = new Dictionary<string, (ProtoField First, List<ProtoValue> Values)>(StringComparer.Ordinal);
        foreach (var field in message.Fields)
        {
            var spec = specs.FirstOrDefault(s => s.Name == field.Name || (json && s.JsonName == field.Name));
            var key = OptionBinder.Join(path, spec?.Name ?? field.Name);
            if (spec is null)
            {
                Unknown(field, specs, key);
                continue;
            }

            if (!values.TryGetValue(spec.Name, out var found))
            {
                values[spec.Name] = found = (field with { Name = spec.Name }, []);
                order.Add(spec.Name);
            }
            else if (!spec.Repeated)
            {
                var line = found.First.Mark.Line.ToString(CultureInfo.InvariantCulture);
                errors.Add(field.Mark, key, "", $"The field is given twice; the first stands in line {line}.",
                    "Keep one of the two.");
                continue;
            }

            Values(field.Value, spec, key, found.Values);
        }

        return message with
        {
            Fields =
            [
                .. from name in order
                   let found = values[name]
                   let repeated = specs.First(s => s.Name == name).Repeated
                   where repeated || found.Values.Count > 0
                   select found.First with
                   {
                       Value = repeated ? new ProtoList(found.First.Value.Mark, found.Values) : found.Values[0],
                   },
            ],
        };
    }

    private void Unknown(ProtoField field, IReadOnlyList<ProtoFieldSpec> specs, string key) => errors.Add(
        field.Mark, key, (field.Value as ProtoScalar)?.Text ?? "", "The field is unknown.",
        specs.Count == 0 ? "This message has no fields: write { }."
            : $"Known here: {string.Join(", ", specs.Select(s => s.Name))}.",
        Suggestion.Nearest(field.Name, specs.Select(s => s.Name)));

    private void Values(ProtoValue value, ProtoFieldSpec spec, string key, List<ProtoValue> into)
    {
        if (json && spec.Map && value is ProtoMessage map)
        {
            foreach (var entry in map.Fields)
                into.Add(Entry(entry, spec, key));
        }
        else if (value is ProtoList list && spec.Repeated)
        {
            foreach (var item in list.Items)
            {
                if (One(item, spec, $"{key}[{into.Count.ToString(CultureInfo.InvariantCulture)}]") is { } clean)
                    into.Add(clean);
            }
        }
        else if (One(value, spec, spec.Repeated
            ? $"{key}[{into.Count.ToString(CultureInfo.InvariantCulture)}]" : key) is { } clean)
        {
            into.Add(clean);
        }
    }

    /// <summary>An entry of a JSON object that is a map becomes what the text form writes: key and value.</summary>
    private ProtoMessage Entry(ProtoField entry, ProtoFieldSpec spec, string key)
    {
        var name = new ProtoScalar(entry.Mark, ProtoForm.Text, entry.Name);
        var pair = new ProtoMessage(entry.Mark, [new(entry.Mark, "key", name), entry with { Name = "value" }]);
        return Clean(pair, spec.Of, $"{key}.{entry.Name}");
    }

    private ProtoValue? One(ProtoValue value, ProtoFieldSpec spec, string key)
    {
        if (value is ProtoMessage message && spec.Type == ProtoType.Message)
            return Clean(message, spec.Of, key);
        if (value is not ProtoScalar scalar || spec.Type == ProtoType.Message)
            return Wrong(value, spec, key);
        return spec.Type switch
        {
            ProtoType.Text => scalar.Form == ProtoForm.Text ? scalar : Wrong(value, spec, key),
            ProtoType.Bool => Bool(scalar) ?? Wrong(value, spec, key),
            ProtoType.Whole => Whole(scalar, spec, key),
            ProtoType.Real => Real(scalar) ?? Wrong(value, spec, key),
            ProtoType.Word => Word(scalar, spec, key),
            ProtoType.Message => null,
        };
    }

    private ProtoScalar? Bool(ProtoScalar scalar)
    {
        if (scalar.Form == ProtoForm.Text && !json)
            return null;
        return scalar.Text switch
        {
            "true" => scalar with { Text = "true" },
            "True" or "t" or "1" when !json => scalar with { Text = "true" },
            "false" => scalar with { Text = "false" },
            "False" or "f" or "0" when !json => scalar with { Text = "false" },
            _ => null,
        };
    }

    private ProtoScalar? Whole(ProtoScalar scalar, ProtoFieldSpec spec, string key)
    {
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint
            | NumberStyles.AllowExponent;
        var readable = scalar.Form == ProtoForm.Number || (json && scalar.Form == ProtoForm.Text);
        if (!readable || !decimal.TryParse(scalar.Text, json ? Style : NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture, out var number) || !decimal.IsInteger(number))
        {
            Wrong(scalar, spec, key);
            return null;
        }

        if (number >= spec.Min && number <= spec.Max)
            return scalar with { Text = decimal.Truncate(number).ToString("0", CultureInfo.InvariantCulture) };
        errors.Add(scalar.Mark, key, scalar.Text, "The number is out of range.",
            $"Allowed is {spec.Min.ToString(CultureInfo.InvariantCulture)} to "
            + $"{spec.Max.ToString(CultureInfo.InvariantCulture)}.");
        return null;
    }

    private ProtoScalar? Real(ProtoScalar scalar)
    {
        if (scalar.Form == ProtoForm.Text && !json)
            return null;
        var text = scalar.Text.TrimStart('-').ToLowerInvariant();
        if (text is "inf" or "infinity" or "nan")
            return scalar;
        return double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? scalar : null;
    }

    private ProtoScalar? Word(ProtoScalar scalar, ProtoFieldSpec spec, string key)
    {
        var words = spec.Of.Split('|');
        if (scalar.Form == ProtoForm.Number && int.TryParse(scalar.Text, out var number) && number >= 0
            && number < words.Length)
            return scalar with { Form = ProtoForm.Word, Text = words[number] };
        if (words.Contains(scalar.Text) && (scalar.Form == ProtoForm.Word || json))
            return scalar with { Form = ProtoForm.Word };
        var quoted = scalar.Form == ProtoForm.Text && !json && words.Contains(scalar.Text) ? " without quotes" : "";
        errors.Add(scalar.Mark, key, scalar.Text, "The word is unknown.",
            $"Use one of{quoted}: {string.Join(", ", words)}.",
            quoted.Length > 0 ? "" : Suggestion.Nearest(scalar.Text, words));
        return null;
    }

    private ProtoValue? Wrong(ProtoValue value, ProtoFieldSpec spec, string key)
    {
        var (written, found) = value switch
        {
            ProtoScalar { Form: ProtoForm.Text } scalar => (scalar.Text, "text"),
            ProtoScalar { Form: ProtoForm.Number } scalar => (scalar.Text, "a number"),
            ProtoScalar scalar => (scalar.Text, "a word"),
            ProtoList => ("", "a list"),
            _ => ("", "a message"),
        };
        var (expected, remedy) = spec.Type switch
        {
            ProtoType.Text => ("text", $"Put it into quotes: {spec.Name}: \"…\"."),
            ProtoType.Bool => ("true or false", $"Write {spec.Name}: true."),
            ProtoType.Whole => ("a whole number", $"Write digits without quotes: {spec.Name}: 8."),
            ProtoType.Real => ("a number", $"Write digits without quotes: {spec.Name}: 0.5."),
            ProtoType.Word => ("a word", $"Use one of: {spec.Of.Replace("|", ", ", StringComparison.Ordinal)}."),
            ProtoType.Message => ("a message", $"Write {spec.Name} {{ … }} with fields inside."),
        };
        errors.Add(value.Mark, key, written, $"Here belongs {expected}; this is {found}.", remedy);
        return null;
    }
}

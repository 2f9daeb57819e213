using System.Collections;
using System.Globalization;
using System.Text.Json;

namespace Spillway.Config;

/// <summary>Writes options records as JSON by their option keys, in the order of declaration.</summary>
internal static class EffectiveJson
{
    /// <summary>One section, and one more beside its keys.</summary>
    public static void Write(Utf8JsonWriter json, object section, (string Key, object Value)? more = null)
    {
        json.WriteStartObject();
        foreach (var member in OptionSet.Of(section.GetType()))
        {
            json.WritePropertyName(member.Key);
            Value(json, member.Property.GetValue(section), member.Shape);
        }

        if (more is var (key, value))
        {
            json.WritePropertyName(key);
            Write(json, value);
        }

        json.WriteEndObject();
    }

    /// <summary>One value; null for an absent section.</summary>
    public static void Value(Utf8JsonWriter json, object? value, OptionShape shape)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case int or long:
                json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case double number:
                json.WriteRawValue(OptionText.Number(number));
                break;
            case string or Enum:
                json.WriteStringValue(OptionText.Value(value));
                break;
            default:
                Several(json, value, shape);
                break;
        }
    }

    private static void Several(Utf8JsonWriter json, object value, OptionShape shape)
    {
        if (shape.Kind == OptionKind.Section)
        {
            Write(json, value);
            return;
        }

        if (shape.Kind == OptionKind.List)
        {
            json.WriteStartArray();
            foreach (var item in (IEnumerable)value)
                Value(json, item, shape.Element!);
            json.WriteEndArray();
            return;
        }

        json.WriteStartObject();
        foreach (var pair in (IEnumerable)value)
        {
            var type = pair.GetType();
            json.WritePropertyName(Convert.ToString(type.GetProperty("Key")!.GetValue(pair),
                CultureInfo.InvariantCulture)!);
            Value(json, type.GetProperty("Value")!.GetValue(pair), shape.Element!);
        }

        json.WriteEndObject();
    }
}

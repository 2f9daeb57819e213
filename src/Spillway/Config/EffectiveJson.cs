using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Text.Json;

namespace Spillway.Config;

/// <summary>Writes options records as JSON by their option keys, in the order of declaration.</summary>
internal static class EffectiveJson
{
    /// <summary>One section, and one more beside its keys.</summary>
    /// <param name="json">Takes it.</param>
    /// <param name="section">An options record.</param>
    /// <param name="more">The section of a model's runtime.</param>
    /// <param name="nulls">Whether absent sections are written as null or left out.</param>
    public static void Write(
        Utf8JsonWriter json, object section, (string Key, object Value)? more = null, bool nulls = true)
    {
        json.WriteStartObject();
        foreach (var member in OptionSet.Of(section.GetType()))
        {
            if (member.Property.GetValue(section) is null && !nulls)
                continue;
            json.WritePropertyName(member.Key);
            Value(json, member.Property.GetValue(section), member.Shape, nulls);
        }

        if (more is var (key, value))
        {
            json.WritePropertyName(key);
            Write(json, value, nulls: nulls);
        }

        json.WriteEndObject();
    }

    /// <summary>Whether two records of one type say the same.</summary>
    public static bool Same(object one, object other) => ReferenceEquals(one, other) || Bytes(one).SequenceEqual(
        Bytes(other));

    private static ReadOnlySpan<byte> Bytes(object section)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            Write(json, section);
        return buffer.WrittenSpan;
    }

    /// <summary>One value; null for an absent section.</summary>
    public static void Value(Utf8JsonWriter json, object? value, OptionShape shape, bool nulls = true)
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
                Several(json, value, shape, nulls);
                break;
        }
    }

    private static void Several(Utf8JsonWriter json, object value, OptionShape shape, bool nulls)
    {
        if (shape.Kind == OptionKind.Section)
        {
            Write(json, value, nulls: nulls);
            return;
        }

        if (shape.Kind == OptionKind.List)
        {
            json.WriteStartArray();
            foreach (var item in (IEnumerable)value)
                Value(json, item, shape.Element!, nulls);
            json.WriteEndArray();
            return;
        }

        json.WriteStartObject();
        foreach (var pair in (IEnumerable)value)
        {
            var type = pair.GetType();
            json.WritePropertyName(Convert.ToString(type.GetProperty("Key")!.GetValue(pair),
                CultureInfo.InvariantCulture)!);
            Value(json, type.GetProperty("Value")!.GetValue(pair), shape.Element!, nulls);
        }

        json.WriteEndObject();
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Spillway.Config.Triton;

/// <summary>Writes a clean tree in the two text forms.</summary>
internal static class ProtoWriter
{
    /// <summary>The text form, ending with a line break.</summary>
    public static string Text(ProtoMessage message)
    {
        var text = new StringBuilder();
        Fields(text, message, 0);
        return text.ToString();
    }

    /// <summary>The JSON form, with the field names of the text form, as Triton writes it.</summary>
    public static void Json(Utf8JsonWriter json, ProtoMessage message, string type = ProtoSchema.Root)
    {
        json.WriteStartObject();
        foreach (var field in message.Fields)
        {
            var spec = ProtoSchema.Of(type).First(s => s.Name == field.Name);
            json.WritePropertyName(field.Name);
            if (spec.Map)
                Map(json, (ProtoList)field.Value, ProtoSchema.Of(spec.Of)[1]);
            else
                Value(json, field.Value, spec);
        }

        json.WriteEndObject();
    }

    /// <summary>Text in quotes.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            if (c is '"' or '\\')
                quoted.Append('\\').Append(c);
            else if (c is < ' ' or '\x7f')
                quoted.Append('\\').Append(Convert.ToString(c, 8).PadLeft(3, '0'));
            else
                quoted.Append(c);
        }

        return quoted.Append('"').ToString();
    }

    private static void Fields(StringBuilder text, ProtoMessage message, int indent)
    {
        foreach (var field in message.Fields)
        {
            text.Append(' ', indent).Append(field.Name);
            if (field.Value is ProtoList { Items: [ProtoMessage, ..] } messages)
            {
                text.Append(" [\n");
                foreach (var (i, item) in messages.Items.Index())
                {
                    text.Append(' ', indent + 2);
                    Braces(text, (ProtoMessage)item, indent + 2);
                    text.Append(i < messages.Items.Count - 1 ? ",\n" : "\n");
                }

                text.Append(' ', indent).Append("]\n");
            }
            else if (field.Value is ProtoList list)
            {
                text.Append(": [ ").AppendJoin(", ", list.Items.Select(i => Scalar((ProtoScalar)i))).Append(" ]\n");
            }
            else if (field.Value is ProtoMessage inner)
            {
                text.Append(' ');
                Braces(text, inner, indent);
                text.Append('\n');
            }
            else
            {
                text.Append(": ").Append(Scalar((ProtoScalar)field.Value)).Append('\n');
            }
        }
    }

    private static void Braces(StringBuilder text, ProtoMessage message, int indent)
    {
        text.Append(message.Fields.Count == 0 ? "{" : "{\n");
        Fields(text, message, indent + 2);
        text.Append(' ', message.Fields.Count == 0 ? 1 : indent).Append('}');
    }

    private static string Scalar(ProtoScalar scalar) =>
        scalar.Form == ProtoForm.Text ? Quote(scalar.Text) : scalar.Text;

    private static void Map(Utf8JsonWriter json, ProtoList entries, ProtoFieldSpec value)
    {
        json.WriteStartObject();
        foreach (var entry in entries.Items.Cast<ProtoMessage>())
        {
            json.WritePropertyName(entry.Text("key"));
            Value(json, entry.Find("value")!.Value, value);
        }

        json.WriteEndObject();
    }

    private static void Value(Utf8JsonWriter json, ProtoValue value, ProtoFieldSpec spec)
    {
        switch (value)
        {
            case ProtoMessage message:
                Json(json, message, spec.Of);
                break;
            case ProtoList list:
                json.WriteStartArray();
                foreach (var item in list.Items)
                    Value(json, item, spec);
                json.WriteEndArray();
                break;
            case ProtoScalar scalar when spec.Type == ProtoType.Bool:
                json.WriteBooleanValue(scalar.Text == "true");
                break;
            case ProtoScalar scalar when spec.Type is ProtoType.Whole:
                json.WriteNumberValue(decimal.Parse(scalar.Text, CultureInfo.InvariantCulture));
                break;
            case ProtoScalar scalar:
                json.WriteStringValue(scalar.Text);
                break;
        }
    }
}

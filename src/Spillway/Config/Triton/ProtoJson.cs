using System.Text;
using System.Text.Json;

namespace Spillway.Config.Triton;

/// <summary>
/// Reads the JSON form of a message into the same tree as the text form. Numbers in quotes stay text; the schema's
/// check knows where they may stand for a number.
/// </summary>
internal static class ProtoJson
{
    /// <summary>Reads a whole JSON object; null after an error.</summary>
    /// <param name="text">The JSON.</param>
    /// <param name="shown">What to call it in errors.</param>
    /// <param name="key">Key path of the whole.</param>
    /// <param name="errors">Takes the error.</param>
    public static ProtoMessage? Read(string text, string shown, string key, ErrorList errors)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var places = new Places(shown, bytes);
        var json = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = ProtoText.DepthMax });
        try
        {
            json.Read();
            if (json.TokenType != JsonTokenType.StartObject)
            {
                errors.Add(places.Of(json), key, "", "A JSON object is expected.",
                    "Send the model's configuration as {\"max_batch_size\": 8, …}.");
                return null;
            }

            var values = 0;
            var message = Message(ref json, places, ref values);
            json.Read();
            return message;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            var at = e is JsonException { LineNumber: { } line, BytePositionInLine: { } column }
                ? new Mark(shown, (int)line + 1, (int)column + 1) : new(shown, 1, 1);
            errors.Add(at, key, "", $"This is not valid JSON: {ErrorList.Clean(e.Message, 200)}",
                "Check it with a JSON tool; it must be one object.");
        }
        catch (ProtoSyntaxException e)
        {
            errors.Add(e.At, key, e.Value, e.Message, e.Remedy);
        }

        return null;
    }

    private static ProtoMessage Message(ref Utf8JsonReader json, Places places, ref int values)
    {
        var at = places.Of(json);
        var fields = new List<ProtoField>();
        for (json.Read(); json.TokenType != JsonTokenType.EndObject; json.Read())
        {
            var (mark, name) = (places.Of(json), json.GetString()!);
            json.Read();
            // In the JSON form null is the same as absent.
            if (json.TokenType != JsonTokenType.Null)
                fields.Add(new(mark, name, Value(ref json, places, ref values)));
        }

        return new(at, fields);
    }

    private static ProtoValue Value(ref Utf8JsonReader json, Places places, ref int values)
    {
        var at = places.Of(json);
        if (++values > ProtoText.ValuesMax)
            throw new ProtoSyntaxException(at, "", $"The JSON holds more than {ProtoText.ValuesMax} values.",
                "Configuration is small: is this the right text?");
        switch (json.TokenType)
        {
            case JsonTokenType.StartObject:
                return Message(ref json, places, ref values);
            case JsonTokenType.StartArray:
                var items = new List<ProtoValue>();
                for (json.Read(); json.TokenType != JsonTokenType.EndArray; json.Read())
                    items.Add(Value(ref json, places, ref values));
                return new ProtoList(at, items);
            case JsonTokenType.Number:
                return new ProtoScalar(at, ProtoForm.Number, Encoding.UTF8.GetString(json.ValueSpan));
            case JsonTokenType.String:
                return new ProtoScalar(at, ProtoForm.Text, json.GetString()!);
            default:
                return new ProtoScalar(at, ProtoForm.Word, Encoding.UTF8.GetString(json.ValueSpan));
        }
    }

    /// <summary>Line and column of a token; tokens come in ascending order, so lines are counted once.</summary>
    private sealed class Places(string file, byte[] bytes)
    {
        private int _at;
        private int _line = 1;
        private int _start;

        public Mark Of(in Utf8JsonReader json)
        {
            for (var target = (int)json.TokenStartIndex; _at < target; _at++)
            {
                if (bytes[_at] == '\n')
                    (_line, _start) = (_line + 1, _at + 1);
            }

            return new(file, _line, (int)json.TokenStartIndex - _start + 1);
        }
    }
}

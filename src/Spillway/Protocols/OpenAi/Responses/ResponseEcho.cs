using System.Buffers;
using System.Text.Json;

namespace Spillway.Protocols.OpenAi.Responses;

/// <summary>
/// What a response tells of the request that it answers: the fields as they were asked, each on one line, and what the
/// API says where nothing was asked. Immutable.
/// </summary>
internal sealed class ResponseEcho
{
    // Null: told only where it was asked.
    private static readonly (string Name, byte[]? Unasked)[] s_fields =
    [
        ("background", "false"u8.ToArray()),
        ("instructions", Null),
        ("max_output_tokens", Null),
        ("max_tool_calls", Null),
        ("metadata", "{}"u8.ToArray()),
        ("parallel_tool_calls", "true"u8.ToArray()),
        ("previous_response_id", Null),
        ("prompt_cache_key", null),
        ("reasoning", "{\"effort\":null,\"summary\":null}"u8.ToArray()),
        ("safety_identifier", null),
        ("service_tier", null),
        // What the model's server takes then is not known here.
        ("temperature", Null),
        ("text", "{\"format\":{\"type\":\"text\"}}"u8.ToArray()),
        ("tool_choice", "\"auto\""u8.ToArray()),
        ("tools", "[]"u8.ToArray()),
        ("top_logprobs", null),
        ("top_p", Null),
        ("truncation", "\"disabled\""u8.ToArray()),
        ("user", null),
    ];

    private readonly List<(string Name, byte[] Json)> _fields = new(s_fields.Length);

    /// <summary>Of a request; throws <see cref="InvalidOperationException"/> for half characters in it.</summary>
    public ResponseEcho(JsonElement asked)
    {
        foreach (var (name, unasked) in s_fields)
        {
            if (asked.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.Null)
                _fields.Add((name, Line(value)));
            else if (unasked is not null)
                _fields.Add((name, unasked));
        }
    }

    private static byte[] Null => "null"u8.ToArray();

    /// <summary>Writes the fields into a response.</summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        foreach (var (name, value) in _fields)
        {
            json.WritePropertyName(name);
            json.WriteRawValue(value, skipInputValidation: true);
        }

        // Nothing is, whatever was asked.
        json.WriteBoolean("store", value: false);
    }

    /// <summary>Without the breaks between lines that it may have come with: they would end an event.</summary>
    private static byte[] Line(JsonElement value)
    {
        var into = new ArrayBufferWriter<byte>(64);
        using (var json = new Utf8JsonWriter(into))
            value.WriteTo(json);
        return into.WrittenSpan.ToArray();
    }
}

using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Spillway.Runtimes.Simulated.Chat;

/// <summary>Bodies of a simulated server that are no completions.</summary>
internal static class SimulatedBodies
{
    /// <summary>Characters beyond ASCII as they are, as language models' servers write them.</summary>
    public static JsonWriterOptions Plain { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An error object.</summary>
    public static byte[] Error(string type, string message) => Write(json =>
    {
        json.WriteStartObject("error");
        json.WriteString("message", message);
        json.WriteString("type", type);
        json.WriteNull("param");
        json.WriteNull("code");
        json.WriteEndObject();
    });

    /// <summary>The list of models.</summary>
    public static byte[] Models(IReadOnlyList<string> names) => Write(json =>
    {
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        foreach (var name in names)
        {
            json.WriteStartObject();
            json.WriteString("id", name);
            json.WriteString("object", "model");
            json.WriteNumber("created", 0);
            json.WriteString("owned_by", "simulated");
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    /// <summary>Vectors of length 1 that depend on the input's place only.</summary>
    public static byte[] Embeddings(SimulatedAsk ask) => Write(json =>
    {
        json.WriteString("object", "list");
        json.WriteString("model", ask.Model);
        json.WriteStartArray("data");
        for (var i = 0; i < ask.Inputs; i++)
        {
            var vector = new float[ask.Dimensions];
            vector[i % ask.Dimensions] = 1;
            json.WriteStartObject();
            json.WriteString("object", "embedding");
            json.WriteNumber("index", i);
            if (ask.IsBase64)
                json.WriteBase64String("embedding", MemoryMarshal.AsBytes(vector.AsSpan()));
            else
            {
                json.WriteStartArray("embedding");
                foreach (var number in vector)
                    json.WriteRawValue(number.ToString(CultureInfo.InvariantCulture));
                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", ask.PromptTokens);
        json.WriteNumber("total_tokens", ask.PromptTokens);
        json.WriteEndObject();
    });

    /// <summary>Nothing is ever flagged.</summary>
    public static byte[] Moderations(SimulatedAsk ask) => Write(json =>
    {
        json.WriteString("id", "modr-sim");
        json.WriteString("model", ask.Model);
        json.WriteStartArray("results");
        for (var i = 0; i < ask.Inputs; i++)
        {
            json.WriteStartObject();
            json.WriteBoolean("flagged", value: false);
            json.WriteStartObject("categories");
            json.WriteEndObject();
            json.WriteStartObject("category_scores");
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static byte[] Write(Action<Utf8JsonWriter> of)
    {
        var into = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(into, Plain))
        {
            json.WriteStartObject();
            of(json);
            json.WriteEndObject();
        }

        return into.WrittenSpan.ToArray();
    }
}

using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Spillway.Client;

namespace Spillway.Extensions.AI;

/// <summary>JSON of answers, which somebody else wrote.</summary>
internal static class AnswerText
{
    /// <summary>An answer, or one event of it; an <see cref="InferenceException"/> for what is no object.</summary>
    public static JsonElement Parse(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8);
            if (JsonElement.ParseValue(ref reader) is { ValueKind: JsonValueKind.Object } json)
                return json;
        }
        catch (JsonException)
        {
            // Told below.
        }

        throw new InferenceException(new(FaultKind.UpstreamFailed, "The answer is no JSON object."));
    }

    /// <summary>
    /// What a text says. Unlike the platform's also with half a surrogate pair: the other half may stand in the next
    /// event of a stream, and both together are a character.
    /// </summary>
    public static string Of(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            var raw = Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(text));
            return Unescape(raw.AsSpan(1, raw.Length - 2));
        }
    }

    private static string Unescape(ReadOnlySpan<char> raw)
    {
        var text = new StringBuilder(raw.Length);
        while (raw.IndexOf('\\') is >= 0 and var at)
        {
            var isCode = raw[at + 1] == 'u';
            text.Append(raw[..at]).Append(isCode
                ? (char)ushort.Parse(
                    raw.Slice(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
                : raw[at + 1] switch { 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', var c => c });
            raw = raw[(at + (isCode ? 6 : 2))..];
        }

        return text.Append(raw).ToString();
    }
}

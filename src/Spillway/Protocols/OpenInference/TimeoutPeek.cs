using System.Text.Json;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// The timeout of a request whose model is not in memory: it bounds the wait for the model, and the rest of the body
/// can only be read when the model's signature is there.
/// </summary>
internal static class TimeoutPeek
{
    /// <summary>
    /// The caller's timeout; null when it gives none. Whatever is wrong with the body is told when it is read.
    /// </summary>
    /// <param name="body">Begins with the request's JSON.</param>
    /// <param name="jsonLength">From <see cref="InferRequestReader.ParseHeaderLength"/>.</param>
    public static TimeSpan? Of(ReadOnlySpan<byte> body, int? jsonLength)
    {
        var json = new Utf8JsonReader(body[..(jsonLength ?? body.Length)]);
        try
        {
            while (json.Read())
            {
                if (json is { TokenType: JsonTokenType.PropertyName, CurrentDepth: 1 }
                    && json.ValueTextEquals("parameters"u8))
                    return InParameters(ref json);
            }
        }
        catch (JsonException)
        {
            // Told later, by the reader that knows what is allowed.
        }

        return null;
    }

    private static TimeSpan? InParameters(ref Utf8JsonReader json)
    {
        while (json.Read() && (json.CurrentDepth > 1 || json.TokenType is JsonTokenType.StartObject))
        {
            if (json is { TokenType: JsonTokenType.PropertyName, CurrentDepth: 2 } && json.ValueTextEquals("timeout"u8)
                && json.Read() && json.TokenType is JsonTokenType.Number && json.TryGetUInt64(out var microseconds))
                return OfMicroseconds(microseconds);
        }

        return null;
    }

    /// <summary>0 means the route's default; what no clock can hold means as long as it can.</summary>
    public static TimeSpan? OfMicroseconds(ulong microseconds)
    {
        const ulong Most = long.MaxValue / TimeSpan.TicksPerMicrosecond;
        return microseconds == 0 ? null
            : new TimeSpan((long)Math.Min(microseconds, Most) * TimeSpan.TicksPerMicrosecond);
    }
}

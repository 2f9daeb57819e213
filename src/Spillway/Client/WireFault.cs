using System.Globalization;
using System.Text.Json;

namespace Spillway.Client;

/// <summary>A refusal on the wire, back into a fault.</summary>
internal static class WireFault
{
    /// <summary>The kind in one word, where the server is Spillway.</summary>
    public const string FaultName = "X-Spillway-Fault";

    private const int TextMax = 2000;

    private static readonly Dictionary<string, FaultKind> s_kinds = Enum.GetValues<FaultKind>()
        .ToDictionary(kind => JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString()));

    /// <summary>The fault of an answer that is none. Takes the server's word; else what its status says.</summary>
    public static Fault Read(HttpResponseMessage response, ReadOnlySpan<byte> body)
    {
        var status = (int)response.StatusCode;
        var kind = response.Headers.TryGetValues(FaultName, out var named)
            && s_kinds.TryGetValue(named.First(), out var known) ? known : KindOf(status);
        var text = Text(body) ?? response.ReasonPhrase ?? "";
        return new(kind, text.Length > 0 ? text : $"The server answered {status}.", RetryAfter(response));
    }

    /// <summary>For servers that do not say it.</summary>
    private static FaultKind KindOf(int status) => status switch
    {
        400 or 422 => FaultKind.InvalidInput,
        401 or 407 => FaultKind.Unauthenticated,
        403 => FaultKind.Forbidden,
        404 => FaultKind.UnknownModel,
        405 => FaultKind.WrongMethod,
        408 => FaultKind.InputIncomplete,
        413 => FaultKind.InputTooLarge,
        415 or 501 => FaultKind.Unsupported,
        429 => FaultKind.RateLimited,
        502 or 503 => FaultKind.ModelNotReady,
        504 => FaultKind.DeadlineExceeded,
        _ => FaultKind.RuntimeFailed,
    };

    private static TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        if (response.Headers.TryGetValues("retry-after-ms", out var ms)
            && int.TryParse(ms.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var exact))
            return TimeSpan.FromMilliseconds(exact);
        return response.Headers.RetryAfter?.Delta;
    }

    private static string? Text(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            if (!JsonElement.TryParseValue(ref reader, out var json)
                || json is not { ValueKind: JsonValueKind.Object } top
                || !top.TryGetProperty("error", out var error))
                return null;
            // In OpenAI's protocol an error is an object with a message.
            if (error.ValueKind is JsonValueKind.Object && error.TryGetProperty("message", out var message))
                error = message;
            if (error.ValueKind is not JsonValueKind.String)
                return null;
            var text = error.GetString()!;
            return text.Length > TextMax ? $"{text[..TextMax]}…" : text;
        }
        catch (Exception odd) when (odd is JsonException or InvalidOperationException)
        {
            // Half a surrogate pair, or bytes that are no UTF-8, are found when the text is taken.
            return null;
        }
    }
}

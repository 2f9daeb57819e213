using System.Globalization;

namespace Spillway.Engine.Gateway;

/// <summary>What a refusal of an upstream means here.</summary>
/// <param name="Fault">As a fault of this server.</param>
/// <param name="ToldNot">It said not to try again.</param>
/// <param name="IsKeys">It refused the key, or what the key pays.</param>
/// <param name="IsCallers">It is about the request, so its words are the caller's to read.</param>
/// <param name="IsSpent">The key's money is used up, as OpenAI says it: a 429 that no wait mends.</param>
internal readonly record struct UpstreamRefusal(
    Fault Fault, bool ToldNot, bool IsKeys, bool IsCallers, bool IsSpent);

/// <summary>Refusals of OpenAI's protocol as faults of this server.</summary>
internal static class GatewayFaults
{
    private static readonly TimeSpan s_retryAfterMax = TimeSpan.FromDays(1);

    /// <summary>Reads one.</summary>
    /// <param name="target">For the message.</param>
    /// <param name="response">Its status is no success.</param>
    /// <param name="body">Its body, as far as it was read.</param>
    /// <param name="now">For times that are dates.</param>
    public static UpstreamRefusal Of(
        string target, HttpResponseMessage response, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var status = (int)response.StatusCode;
        var part = AnswerScan.Read(body, wantsNames: false);
        var said = Said(part, response);
        var isBroke = status == 429 && body.IndexOf("insufficient_quota"u8) >= 0;
        var isContent = status == 403 && IsAboutContent(body);
        var fault = Fault(target, isContent ? 422 : status, said, RetryAfter(response, now));
        return new(fault, IsToldNot(response) || isBroke || fault.Kind is FaultKind.AnswerUnfit,
            (status is 401 or 402 or 403 && !isContent) || isBroke,
            (status is 400 or 413 or 422 || isContent) && part is { IsBroken: false, HasError: true }, isBroke);
    }

    private static string Said(in AnswerPart part, HttpResponseMessage response) =>
        part.ErrorMessage.Length > 0 ? part.ErrorMessage : response.ReasonPhrase ?? "";

    private static bool IsToldNot(HttpResponseMessage response) =>
        response.Headers.TryGetValues("x-should-retry", out var told) && told.First() == "false";

    /// <summary>Some refuse what a prompt says with the status of a key without rights.</summary>
    private static bool IsAboutContent(ReadOnlySpan<byte> body) => body.IndexOf("content_filter"u8) >= 0
        || body.IndexOf("content_policy"u8) >= 0 || body.IndexOf("moderation"u8) >= 0 || body.IndexOf("flagged"u8) >= 0;

    private static Fault Fault(string target, int status, string said, TimeSpan? retryAfter) => status switch
    {
        400 or 422 => new(FaultKind.InvalidInput, said),
        413 => new(FaultKind.InputTooLarge, said),
        401 or 402 or 403 => new(
            FaultKind.UpstreamFailed, $"The upstream {target} refuses its key ({status}). The operator gives a valid "
            + "one in upstreams.….keyFrom."),
        429 or 503 or 529 => new(
            FaultKind.UpstreamThrottled, $"The upstream {target} has enough to do ({status}): {said}", retryAfter),
        408 or 504 => new(
            FaultKind.UpstreamTimeout, $"The upstream {target} was too slow by its own account ({status}): {said}"),
        >= 300 and < 400 => new(
            FaultKind.UpstreamFailed,
            $"The upstream {target} redirects ({status}), which is not followed. Give its real address."),
        404 => new(
            FaultKind.AnswerUnfit,
                $"The upstream {target} does not know what it is asked for (404): {said}. Look at "
            + "its address and at upstreams.….model."),
        // It stands by that: asking again gives the same, and the target is well.
        (>= 400 and < 500 and not (409 or 425)) or 501 => new(
            FaultKind.AnswerUnfit, $"The upstream {target} does not do what it is asked for ({status}): {said}"),
        _ => new(FaultKind.UpstreamFailed, $"The upstream {target} answered {status}: {said}"),
    };

    private static TimeSpan? RetryAfter(HttpResponseMessage response, DateTimeOffset now)
    {
        TimeSpan? after = response.Headers.TryGetValues("retry-after-ms", out var ms)
            && double.TryParse(ms.First(), NumberStyles.Float, CultureInfo.InvariantCulture, out var exact)
            && exact is >= 0 and < 1e9
                ? TimeSpan.FromMilliseconds(exact)
                : response.Headers.RetryAfter is { } given ? given.Delta ?? (given.Date - now) : null;
        return after is { } wait && wait >= TimeSpan.Zero && wait < s_retryAfterMax ? wait : null;
    }
}

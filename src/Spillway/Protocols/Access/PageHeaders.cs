using Microsoft.Extensions.Primitives;

namespace Spillway.Protocols.Access;

/// <summary>Headers that a listed web page may send and read.</summary>
internal static class PageHeaders
{
    /// <summary>Of an answer, what a page's client looks at.</summary>
    public const string Exposed = "X-Request-Id, X-Spillway-Fault, X-Spillway-Step, X-Spillway-Degraded, "
        + "X-Spillway-Cache, X-Spillway-Cost, X-Spillway-Budget-Warning, X-Spillway-Content, Server-Timing, "
        + "Retry-After, retry-after-ms, x-should-retry, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, "
        + "Idempotent-Replayed, Inference-Header-Content-Length";

    private const string Always = "authorization, x-api-key, api-key, content-type, accept, cache-control, "
        + "inference-header-content-length, x-request-id, x-request-timeout-ms, idempotency-key, traceparent, "
        + "tracestate";

    private const int NameMax = 64;
    private const int NamesMax = 32;

    /// <summary>Of families whose members differ by client and version, those that it asks for are allowed.</summary>
    private static readonly string[] s_families = ["x-spillway-", "x-stainless-", "openai-"];

    /// <summary>What a page may send: the usual ones, and of what it asks for the members of known families.</summary>
    /// <param name="asked">Access-Control-Request-Headers. Only letters, digits and dashes of it are repeated.</param>
    public static string Allowed(StringValues asked)
    {
        if (asked is not [{ Length: > 0 and <= NamesMax * NameMax } names])
            return Always;
        var members = names.Split(',', NamesMax, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(n => n.ToLowerInvariant()).Where(IsMember).Distinct(StringComparer.Ordinal);
        return string.Join(", ", members.Prepend(Always));
    }

    private static bool IsMember(string name) => name.Length <= NameMax
        && s_families.Any(f => name.StartsWith(f, StringComparison.Ordinal))
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
}

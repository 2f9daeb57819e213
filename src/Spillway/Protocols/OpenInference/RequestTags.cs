using System.Globalization;
using Microsoft.AspNetCore.Http;
using Spillway.Telemetry;

namespace Spillway.Protocols.OpenInference;

/// <summary>The names of a request: its id for explain, and its place in a trace.</summary>
/// <param name="RequestId">The caller's X-Request-Id where it is one, else ours.</param>
/// <param name="Trace">A child of the caller's traceparent, or a root.</param>
/// <param name="Caller">The span that called; 0 for a root.</param>
internal readonly record struct RequestTags(string RequestId, TraceContext Trace, ulong Caller = 0)
{
    /// <summary>The header of the request id, in and out.</summary>
    public const string RequestIdName = "X-Request-Id";

    /// <summary>The longest id taken from a caller.</summary>
    public const int RequestIdLengthMax = 128;

    /// <summary>Its span and its caller's.</summary>
    public SpanLink Link => new(Trace.Span, Caller, Trace.Flags);

    /// <summary>Reads the names that the caller gave, and makes those that it did not.</summary>
    public static RequestTags Of(IHeaderDictionary headers, SpanIds spans)
    {
        var given = default(TraceContext);
        var trace = headers.TraceParent is { Count: 1 } parent && TraceContext.TryParse(parent[0], out given)
            ? given.Child(spans)
            : TraceContext.Root(spans);
        return new(
            headers.TryGetValue(RequestIdName, out var id) && IsFit(id) ? id.ToString() : IdOf(trace), trace, given.Span);
    }

    /// <summary>The names of one request of several that came on one call.</summary>
    public RequestTags Child(SpanIds spans)
    {
        var trace = Trace.Child(spans);
        return new(IdOf(trace), trace, Trace.Span);
    }

    /// <summary>Tells the caller, with the stages so far.</summary>
    public void WriteTo(IHeaderDictionary headers, in Timeline timeline)
    {
        headers[RequestIdName] = RequestId;
        headers.TraceParent = Trace.ToString();
        headers[ServerTiming.HeaderName] = ServerTiming.Format(timeline);
    }

    private static string IdOf(in TraceContext trace) => trace.Span.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Letters, digits and the usual marks only: an id is shown in terminals and logs.</summary>
    private static bool IsFit(string? id) => id is { Length: > 0 and <= RequestIdLengthMax }
        && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/' or '=' or '+');
}

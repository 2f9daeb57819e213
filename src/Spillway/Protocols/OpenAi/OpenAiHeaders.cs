using System.Globalization;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Policies.Rates;
using Spillway.Protocols.OpenInference;
using Spillway.Telemetry;

namespace Spillway.Protocols.OpenAi;

/// <summary>Headers of OpenAI's protocol, in and out.</summary>
internal static class OpenAiHeaders
{
    /// <summary>How long the caller waits, in seconds: OpenAI's own clients send it.</summary>
    public const string ClientTimeoutName = "X-Stainless-Timeout";

    /// <summary>The same in milliseconds, for everybody else.</summary>
    public const string TimeoutName = "X-Request-Timeout-Ms";

    /// <summary>Out: what rules over content did so far: masked;rule=mail;in=answer;count=2.</summary>
    public const string ContentName = "X-Spillway-Content";

    /// <summary>Out: the step that answered.</summary>
    public const string StepName = "X-Spillway-Step";

    /// <summary>Out: no real model ran.</summary>
    public const string SimulatedName = "X-Simulated";

    private const double TimeoutSecondsMax = 86_400;

    /// <summary>The caller's patience, its own limit of cost; a fault when one of them is no number.</summary>
    public static Fault? Read(IHeaderDictionary headers, InferenceRequest into)
    {
        if (Time(headers, TimeoutName, 1000, into) is { } wrong)
            return wrong;
        return (into.Timeout is null ? Time(headers, ClientTimeoutName, 1, into) : null)
            ?? GuardHeaders.Read(headers, into);
    }

    /// <summary>Whether a caller asks to be told at a stream's end what it costs: X-Spillway-Cost: true.</summary>
    public static bool WantsCost(IHeaderDictionary headers) => headers.TryGetValue(CostHeader.Name, out var given)
        && given.Count == 1 && string.Equals(given[0], "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>The name of a request that does not get as far as an exchange.</summary>
    public static void Name(HttpContext http, SpanIds spans) =>
        http.Response.Headers[RequestTags.RequestIdName] = RequestTags.Of(http.Request.Headers, spans).RequestId;

    /// <summary>Before the first byte of an answer.</summary>
    public static void WriteTo(HttpContext http, Work work, RequestTags tags)
    {
        var headers = http.Response.Headers;
        tags.WriteTo(headers, work.Timeline);
        headers["openai-version"] = "2020-10-01";
        headers["openai-processing-ms"] = ((long)(work.Timeline.Last - work.Timeline.Started).TotalMilliseconds)
            .ToString(CultureInfo.InvariantCulture);
        GuardHeaders.WriteTo(headers, work);
        Limit(headers, "requests", work.Ticket.LeftRequests);
        Limit(headers, "tokens", work.Ticket.LeftTokens);
        if (work.Chat is not { } chat)
            return;
        if (chat.Upstream.Length > 0)
            headers[StepName] = chat.Upstream;
        if (work.Trail is { IsDegraded: true, Left: [.., var last] })
            headers[RouteHeaders.DegradedName] = FaultLabels.Of(last.Why);
        if (chat.Cost is { } cost)
            headers[CostHeader.Name] = cost.ToString();
        if (chat.Content.Count > 0)
            headers[ContentName] = string.Join(", ", chat.Content);
        if (chat.IsSimulated)
            headers[SimulatedName] = "true";
    }

    /// <summary>As Go writes a duration, which is what OpenAI sends: 12ms, 1.5s, 6m0s, 1h0m0s.</summary>
    internal static string GoDuration(TimeSpan time)
    {
        if (time < TimeSpan.FromSeconds(1))
            return string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalMilliseconds)}ms");
        var seconds =
            string.Create(CultureInfo.InvariantCulture, $"{time.Seconds + (time.Milliseconds / 1000.0):0.###}s");
        if (time < TimeSpan.FromMinutes(1))
            return seconds;
        var minutes = string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}m");
        return time < TimeSpan.FromHours(1) ? minutes + seconds
            : string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours}h{minutes}{seconds}");
    }

    /// <summary>What the tightest limit of each unit leaves, under the names that OpenAI's clients know.</summary>
    private static void Limit(IHeaderDictionary headers, string unit, in RateLeft left)
    {
        if (left.Limit == 0)
            return;
        headers[$"x-ratelimit-limit-{unit}"] = left.Limit.ToString(CultureInfo.InvariantCulture);
        headers[$"x-ratelimit-remaining-{unit}"] = left.Left.ToString(CultureInfo.InvariantCulture);
        headers[$"x-ratelimit-reset-{unit}"] = GoDuration(left.Reset);
    }

    private static Fault? Time(IHeaderDictionary headers, string name, double perSecond, InferenceRequest into)
    {
        if (!headers.TryGetValue(name, out var given))
            return null;
        if (given.Count == 1 && double.TryParse(given[0], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
            out var number))
        {
            // OpenAI's clients cut the rest of a second off: nobody knows what a zero was.
            if (number == 0)
                return null;
            into.Timeout = TimeSpan.FromSeconds(Math.Min(number / perSecond, TimeoutSecondsMax));
            return null;
        }

        return Fault.Invalid($"the header {name} is not a time from 0 on");
    }
}

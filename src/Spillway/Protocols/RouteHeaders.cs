using System.Globalization;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Engine.Routes;
using Spillway.Policies.Caching;
using Spillway.Telemetry;

namespace Spillway.Protocols;

/// <summary>
/// A route's cache and chain in headers. In: <c>Cache-Control: no-store</c> (neither read nor write the cache) and
/// <c>no-cache</c> (a new answer, which is remembered). Out: X-Spillway-Cache (hit, stale, joined, miss, refresh or
/// bypass) with <c>Age</c> in seconds (RFC 9111), X-Spillway-Step (which step answered), and on a degraded answer
/// X-Spillway-Degraded with the reason.
/// </summary>
internal static class RouteHeaders
{
    /// <summary>On an answer that is not what the route promises first: why.</summary>
    public const string DegradedName = "X-Spillway-Degraded";

    private const string CacheName = "X-Spillway-Cache";
    private const string StepName = "X-Spillway-Step";

    /// <summary>What the caller asks of the cache.</summary>
    public static void Read(IHeaderDictionary headers, Work work)
    {
        if (work.Door?.Plan is null || headers.CacheControl is not { Count: > 0 } asked)
            return;
        foreach (var line in asked)
        {
            var text = line.AsSpan();
            foreach (var part in text.Split(','))
            {
                var word = text[part].Trim();
                if (word.Equals("no-store", StringComparison.OrdinalIgnoreCase))
                    work.CacheAsked = CacheDirective.Bypass;
                else if (word.Equals("no-cache", StringComparison.OrdinalIgnoreCase)
                    && work.CacheAsked is CacheDirective.Use)
                    work.CacheAsked = CacheDirective.Refresh;
            }
        }
    }

    /// <summary>Writes them; nothing for a plain model's request.</summary>
    public static void WriteTo(IHeaderDictionary headers, Work work)
    {
        if (work.Trail is not { } trail)
            return;
        if (trail.HasCache)
            headers[CacheName] = Word(trail);
        if (trail.Cache.Answer is not null)
            headers.Age = ((long)trail.Cache.Age.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        if (trail.Step >= 0)
            headers[StepName] = work.Door.Plan!.Names[trail.Step];
        if (trail.IsDegraded)
            headers[DegradedName] = Why(trail);
    }

    private static string Word(RouteTrail trail) => trail.Cache.Step switch
    {
        CacheStep.Hit => "hit",
        CacheStep.Stale => "stale",
        CacheStep.Join => trail.Joined ? "joined" : "miss",
        CacheStep.Miss => "miss",
        CacheStep.Refresh => "refresh",
        CacheStep.Bypass => "bypass",
    };

    /// <summary>The kind of fault that the step before met; or that its wait would have been too long.</summary>
    private static string Why(RouteTrail trail)
    {
        if (trail.Left.Count > 0)
            return FaultLabels.Of(trail.Left[^1].Why);
        return trail.Avoided is { } wait
            ? string.Create(CultureInfo.InvariantCulture, $"predicted_wait; ms={wait.TotalMilliseconds:0}")
            : "stale";
    }
}

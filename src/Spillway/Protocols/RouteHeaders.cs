using System.Globalization;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Engine.Routes;
using Spillway.Policies.Caching;
using Spillway.Protocols.OpenInference;
using Spillway.Telemetry;

namespace Spillway.Protocols;

/// <summary>
/// A route's cache and chain in headers. In: <c>Cache-Control: no-store</c> (neither read nor write the cache) and
/// <c>no-cache</c> (a new answer, which is remembered). Out: X-Spillway-Cache (hit, stale, joined, miss, refresh or
/// bypass) with <c>Age</c> in seconds (RFC 9111), X-Spillway-Step (which step answered), and on a degraded answer
/// X-Spillway-Degraded with the reason. <c>X-Spillway-Session</c> keeps a caller's side in a rollout, and
/// X-Spillway-Rollout tells it. On a gRPC stream, whose answers share one set of headers, the same stand among each
/// answer's parameters, in small letters.
/// </summary>
internal static class RouteHeaders
{
    /// <summary>On an answer that is not what the route promises first: why.</summary>
    public const string DegradedName = "X-Spillway-Degraded";

    /// <summary>In: whose side in a rollout is kept, where that is not the caller itself.</summary>
    public const string SessionName = "X-Spillway-Session";

    /// <summary>Out, while a rollout is under way: champion or challenger.</summary>
    public const string RolloutName = "X-Spillway-Rollout";

    private const string CacheName = "X-Spillway-Cache";
    private const string StepName = "X-Spillway-Step";

    /// <summary>What the caller asks of the cache.</summary>
    public static void Read(IHeaderDictionary headers, Work work)
    {
        if (work.Door?.Plan is null)
            return;
        ReadSession(headers, work);
        if (headers.CacheControl is not { Count: > 0 } asked)
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
        if (work.Trail is not { } trail || work.Door.Plan is not { } plan)
            return;
        if (trail.HasCache)
            headers[CacheName] = Word(trail);
        if (trail.IsOld)
            headers.Age = ((long)trail.Age.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        if (trail.Step >= 0)
            headers[StepName] = trail.NameOf(plan);
        if (trail.Rollout is { Decision.Percent: > 0 })
            headers[RolloutName] = trail.IsChallenger ? "challenger" : "champion";
        if (trail.IsDegraded)
            headers[DegradedName] = Why(trail);
    }

    /// <summary>Callers that nothing tells apart keep their side for a request that they send again.</summary>
    private static void ReadSession(IHeaderDictionary headers, Work work)
    {
        if (headers.TryGetValue(SessionName, out var session) && session is [{ Length: > 0 } one])
            work.Session = one;
        else if (ReferenceEquals(work.Caller, Caller.Local)
            && headers.TryGetValue(RequestTags.RequestIdName, out var id) && id is [{ Length: > 0 } request])
            work.Session = request;
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

    /// <summary>The first cause: a wait that would have been too long, or the fault that the first step met.</summary>
    private static string Why(RouteTrail trail)
    {
        if (trail.Avoided is { } wait)
            return string.Create(CultureInfo.InvariantCulture, $"predicted_wait; ms={wait.TotalMilliseconds:0}");
        if (trail.Left.Count > 0)
            return FaultLabels.Of(trail.Left[0].Why);
        if (trail.Inner is { IsDegraded: true } inner)
            return Why(inner);
        return trail.UpstreamDegraded ? "upstream" : "stale";
    }
}

using Spillway.Engine.Caching;
using Spillway.Engine.Upstreams;
using Spillway.Policies.Caching;
using Spillway.Telemetry;

namespace Spillway.Engine.Routes;

/// <summary>The metrics of routes.</summary>
internal static class RouteSeries
{
    /// <summary>Registers those of every route and upstream.</summary>
    public static void Register(RouteSet routes, UpstreamSet upstreams, InstrumentRegistry registry)
    {
        foreach (var upstream in upstreams.All)
            registry.Add(upstream, upstream.Choice.Series());

        foreach (var route in routes.All)
        {
            registry.Add(route, route.Counts.Of(route.Name));
            if (route.Cache is { } cache)
                registry.Add(cache, OfCache(route.Name, cache));
        }
    }

    private static IEnumerable<Series> OfCache(string route, AnswerCache cache)
    {
        return RouteInstruments.OfCache(
            route,
            [
                ("hit", () => Of(c => c.Hits)), ("stale", () => Of(c => c.Stale)), ("miss", () => Of(c => c.Misses)),
                ("join", () => Of(c => c.Joins)), ("refresh", () => Of(c => c.Refreshes)),
                ("bypass", () => Of(c => c.Bypasses)),
            ],
            () => Of(c => c.Evictions), () => Of(c => c.Entries), () => Of(c => c.Bytes));

        double Of(Func<CacheCounts, long> count) => count(cache.Counts);
    }
}

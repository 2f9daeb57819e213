using Spillway.Store.Ledger;

namespace Spillway.Engine.Gateway;

/// <summary>
/// What an answer cost that its caller never gets, as one that a rule over content refuses: the upstream is paid all
/// the same. It is the route's cost, and on nobody's bill.
/// </summary>
internal static class GatewayWaste
{
    /// <summary>An attempt failed.</summary>
    /// <param name="serving">Where costs are.</param>
    /// <param name="route">Whose cost it is.</param>
    /// <param name="work">The request.</param>
    /// <param name="upstream">Who was asked.</param>
    /// <param name="state">What is known of the attempt.</param>
    public static void Book(
        Serving serving, ChatRoute route, Work work, GatewayUpstream upstream, ExchangeState state)
    {
        if (state.InVain is not { } used || state.Price?.Price(used) is not { } bill || bill.Total == Money.Zero)
            return;
        work.Trail!.Wasted += bill.Total;
        serving.Models.Costs.Wasted(new()
        {
            UnixMs = serving.Clock.Time.GetUtcNow().ToUnixTimeMilliseconds(), Kind = EntryKind.Waste,
            Tenant = work.Caller.Tenant, Key = work.Caller.Key, Route = route.Name, Model = upstream.Name,
            Version = route.Door.Route.Model.Version, Owner = route.Door.Owner, Rows = 1, Request = bill.Request,
            Tokens = bill.Tokens, Used = used,
        });
    }
}

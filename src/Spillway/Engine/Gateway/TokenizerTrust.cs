namespace Spillway.Engine.Gateway;

/// <summary>
/// A route's tokenizer is believed until an upstream's own account of a prompt is higher than what it says is possible.
/// </summary>
internal static class TokenizerTrust
{
    /// <summary>A request is over: what its upstream counted is held against what was reserved.</summary>
    public static void Check(Serving serving, ChatRoute route, ExchangeState state)
    {
        if (state.Contradiction is not { } wrong || !route.Doubt())
            return;
        state.Facts.IsContradicted = true;
        GatewayLog.Contradicted(serving.Logger, route.Name, state.Facts.Upstream, told: wrong.Told, most: wrong.Most);
    }
}

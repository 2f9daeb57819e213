using Spillway.Config;

namespace Spillway.Engine.Gateway;

/// <summary>
/// The routes over language models and their upstreams as one configuration has them. Immutable. Whoever asks holds it
/// from the look-up of its route to the end of its answer: what it no longer shares with the configuration in force
/// ends with the last of them.
/// </summary>
internal sealed class GatewayWorld
{
    private readonly IReadOnlyDictionary<string, GatewayUpstream> _upstreams;
    private readonly IReadOnlyDictionary<string, ChatRoute> _routes;

    // Those under way, and one for being in force.
    private int _users = 1;

    /// <summary>Puts one together; it is in force until <see cref="Leave"/>.</summary>
    /// <param name="config">For the records of those that it answers.</param>
    /// <param name="upstreams">By name.</param>
    /// <param name="routes">By name, over those.</param>
    public GatewayWorld(
        ConfigMark config, IReadOnlyDictionary<string, GatewayUpstream> upstreams,
        IReadOnlyDictionary<string, ChatRoute> routes)
    {
        (Config, _upstreams, _routes) = (config, upstreams, routes);
        foreach (var upstream in upstreams.Values)
            upstream.Keep();
    }

    /// <summary>For the records of those that it answers.</summary>
    public ConfigMark Config { get; }

    /// <summary>Every route, in the order of the configuration.</summary>
    public IEnumerable<ChatRoute> Routes => _routes.Values;

    /// <summary>Every upstream.</summary>
    public IEnumerable<GatewayUpstream> Upstreams => _upstreams.Values;

    /// <summary>The route of a served name; null when there is none.</summary>
    public ChatRoute? Find(string name) => _routes.GetValueOrDefault(name);

    /// <summary>The upstream of a name; null when there is none.</summary>
    public GatewayUpstream? Upstream(string name) => _upstreams.GetValueOrDefault(name);

    /// <summary>One more holds it; false when it has ended, and another one is in force.</summary>
    public bool TryEnter()
    {
        for (var users = Volatile.Read(ref _users); users > 0;)
        {
            var seen = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (seen == users)
                return true;
            users = seen;
        }

        return false;
    }

    /// <summary>One holds it no more.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _users) > 0)
            return;
        foreach (var upstream in _upstreams.Values)
            upstream.Release();
    }
}

using System.Collections.Concurrent;
using Spillway.Config;
using Spillway.Engine.Routes;
using Spillway.Policies.Breaking;
using Spillway.Policies.Pricing;
using Spillway.Policies.Switching;
using Spillway.Runtimes.Simulated.Chat;
using Spillway.Telemetry;

namespace Spillway.Engine.Gateway;

/// <summary>
/// Everything of a server that speaks OpenAI's protocol: its upstreams, the routes over them, and the exchanges under
/// way. Thread-safe.
/// </summary>
internal sealed class GatewaySet : IDisposable
{
    private readonly Dictionary<string, GatewayUpstream> _upstreams = [];
    private readonly Dictionary<string, ChatRoute> _routes = [];
    private readonly ConcurrentDictionary<Exchange, byte> _open = [];

    /// <summary>Makes those of a configuration; nothing is asked yet.</summary>
    /// <param name="snapshot">The configuration.</param>
    /// <param name="routes">Chains and counters of all routes.</param>
    /// <param name="keys">The keys of upstreams by name, where they have any.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="seed">Of draws and jitter.</param>
    public GatewaySet(
        Snapshot snapshot, RouteSet routes, IReadOnlyDictionary<string, IReadOnlyList<string>> keys, Clock clock,
        int seed)
    {
        Idempotent = new(clock);
        foreach (var (name, options) in snapshot.Upstreams.Where(u => ChatChecks.IsChat(u.Value)))
        {
            _upstreams.Add(name, new(
                name, options, keys.GetValueOrDefault(name) ?? [], clock, new(seed + _upstreams.Count))
            {
                Price = snapshot.PriceList?.TokensOf(name) ?? Declared(options.Simulated),
            });
        }

        foreach (var memory in routes.All.Where(r => ChatChecks.IsChat(r.Options, snapshot.Upstreams)))
            _routes.Add(memory.Name, new(memory, _upstreams)
            {
                Tokenizer = snapshot.Tokenizers.GetValueOrDefault(memory.Name),
            });
    }

    /// <summary>Answers that are given again under their keys.</summary>
    public IdempotentAnswers Idempotent { get; }

    /// <summary>Every route, in the order of the configuration.</summary>
    public IEnumerable<ChatRoute> Routes => _routes.Values;

    /// <summary>Every upstream.</summary>
    public IEnumerable<GatewayUpstream> Upstreams => _upstreams.Values;

    /// <summary>Exchanges under way.</summary>
    public int Open => _open.Count;

    /// <summary>The route of a served name; null when there is none.</summary>
    public ChatRoute? Find(string name) => _routes.GetValueOrDefault(name);

    /// <summary>An exchange begins.</summary>
    public void Enter(Exchange exchange) => _open.TryAdd(exchange, 0);

    /// <summary>It is over.</summary>
    public void Leave(Exchange exchange) => _open.TryRemove(exchange, out _);

    /// <summary>Ends what is under way of a target that was switched off; how many that were.</summary>
    public int Abort(SwitchTarget target, Fault fault)
    {
        var count = 0;
        foreach (var exchange in _open.Keys)
        {
            if (!exchange.Concerns(target))
                continue;
            exchange.Stop(fault);
            count++;
        }

        return count;
    }

    /// <summary>Registers the metrics of its upstreams and routes.</summary>
    /// <param name="registry">Where.</param>
    /// <param name="asVllm">Whether chats are under vLLM's names too.</param>
    public void Register(InstrumentRegistry registry, bool asVllm)
    {
        foreach (var upstream in Upstreams)
        {
            registry.Add(upstream, upstream.Counts.Of(
                upstream.Name, () => upstream.Waiting,
                target => upstream.Look()[target].State is BreakerState.Open ? 1 : 0,
                target => upstream.Look()[target].InFlight, target => upstream.Look()[target].Limit));
        }

        foreach (var route in Routes)
        {
            registry.Add(route, asVllm
                ? route.Counts.Of(route.Name).Concat(route.Counts.OfVllm(route.Name)) : route.Counts.Of(route.Name));
        }
    }

    /// <summary>What a simulated one says of itself; null where it says nothing.</summary>
    private static Dated<TokenPrice>? Declared(SimulatedChatOptions? simulated)
    {
        if (simulated is null or { PerMillionInput: 0, PerMillionOutput: 0 })
            return null;
        var (input, output) = (Amounts.Of(simulated.PerMillionInput), Amounts.Of(simulated.PerMillionOutput));
        return Dated.Always(new TokenPrice { Input = input, Cached = input, Output = output, Reasoning = output });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var upstream in Upstreams)
            upstream.Dispose();
    }
}

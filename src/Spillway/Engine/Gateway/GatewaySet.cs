using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Engine.Routes;
using Spillway.Engine.Upstreams;
using Spillway.Policies.Pricing;
using Spillway.Policies.Switching;
using Spillway.Runtimes.Simulated.Chat;
using Spillway.Telemetry;

namespace Spillway.Engine.Gateway;

/// <summary>
/// Everything of a server that speaks OpenAI's protocol: the <see cref="GatewayWorld"/> in force, and the exchanges
/// under way. Thread-safe; whoever puts another world in force does so one at a time.
/// </summary>
internal sealed class GatewaySet : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Exchange, byte> _open = [];
    private readonly TargetWatch _watch;
    private readonly Clock _clock;
    private readonly Random _seeds;
    private volatile GatewayWorld _world;
    private (InstrumentRegistry Registry, bool AsVllm)? _shown;
    private bool _isStarted;

    /// <summary>Makes those of a configuration; nothing is asked yet.</summary>
    /// <param name="snapshot">The configuration.</param>
    /// <param name="keys">The keys of upstreams by name, where they have any.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Where surprises are told.</param>
    /// <param name="seed">Of draws and jitter.</param>
    public GatewaySet(
        Snapshot snapshot, IReadOnlyDictionary<string, IReadOnlyList<string>> keys, Clock clock, ILogger logger,
        int seed)
    {
        (_clock, _seeds, _watch, Idempotent) = (clock, new(seed), new(clock, logger), new(clock));
        _world = Make(snapshot, keys, before: null);
    }

    /// <summary>Answers that are given again under their keys.</summary>
    public IdempotentAnswers Idempotent { get; }

    /// <summary>Every route in force, in the order of the configuration.</summary>
    public IEnumerable<ChatRoute> Routes => _world.Routes;

    /// <summary>Every upstream in force.</summary>
    public IEnumerable<GatewayUpstream> Upstreams => _world.Upstreams;

    /// <summary>Exchanges under way.</summary>
    public int Open => _open.Count;

    /// <summary>
    /// The route in force of a served name, to look at; null when there is none. Who asks it calls <see cref="Hold"/>.
    /// </summary>
    public ChatRoute? Find(string name) => _world.Find(name);

    /// <summary>
    /// What is in force, for a request that begins; it lets go with <see cref="GatewayWorld.Leave"/>.
    /// </summary>
    public GatewayWorld Hold()
    {
        while (true)
        {
            var world = _world;
            if (world.TryEnter())
                return world;
        }
    }

    /// <summary>Begins to ask targets how they are, where that is declared.</summary>
    public void Start()
    {
        _isStarted = true;
        foreach (var upstream in Upstreams)
            upstream.Watch(_watch);
    }

    /// <summary>
    /// Puts another configuration in force, for the next request on; those under way end with theirs. What is the same
    /// in both stays, with all that is known of it.
    /// </summary>
    /// <returns>The upstreams whose keys are others now.</returns>
    public IReadOnlyList<string> Apply(
        Snapshot snapshot, IReadOnlyDictionary<string, IReadOnlyList<string>> keys)
    {
        var before = _world;
        var next = Make(snapshot, keys, before);
        // First, so that nobody meets an upstream under its new options with an old key.
        List<string> rotated = [.. next.Upstreams
            .Where(u => u.Keys.Replace(keys.GetValueOrDefault(u.Name) ?? [])).Select(u => u.Name)];
        _world = next;
        if (_shown is var (registry, asVllm))
            registry.Replace(this, Series(next, asVllm));
        if (_isStarted)
        {
            foreach (var upstream in next.Upstreams.Where(u => before.Upstream(u.Name) != u))
                upstream.Watch(_watch);
        }

        before.Leave();
        return rotated;
    }

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

    /// <summary>Registers the metrics of its upstreams and routes, now and with each configuration to come.</summary>
    /// <param name="registry">Where.</param>
    /// <param name="asVllm">Whether chats are under vLLM's names too.</param>
    public void Register(InstrumentRegistry registry, bool asVllm)
    {
        _shown = (registry, asVllm);
        registry.Replace(this, Series(_world, asVllm));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _watch.DisposeAsync().ConfigureAwait(false);
        _world.Leave();
    }

    private static IEnumerable<Series> Series(GatewayWorld world, bool asVllm) =>
        world.Upstreams.SelectMany(u => u.Choice.Series())
            .Concat(world.Routes.SelectMany(r => r.Memory.Counts.Of(r.Name).Concat(r.Counts.Of(r.Name))))
            .Concat(asVllm ? world.Routes.SelectMany(r => r.Counts.OfVllm(r.Name)) : []);

    private GatewayWorld Make(
        Snapshot snapshot, IReadOnlyDictionary<string, IReadOnlyList<string>> keys, GatewayWorld? before)
    {
        var upstreams = new Dictionary<string, GatewayUpstream>(StringComparer.Ordinal);
        foreach (var (name, options) in snapshot.Upstreams.Where(u => ChatChecks.IsChat(u.Value)))
            upstreams.Add(name, Make(name, options, keys.GetValueOrDefault(name) ?? [], before?.Upstream(name)));
        var known = before?.Config.PriceDigest == snapshot.PriceDigest ? before : null;
        var routes = new Dictionary<string, ChatRoute>(StringComparer.Ordinal);
        foreach (var (name, options) in snapshot.Routes.Where(r => ChatChecks.IsChat(r.Value, snapshot.Upstreams)))
        {
            var was = before?.Find(name);
            var memory = Remember(name, options, was?.Memory);
            var tokenizer = snapshot.Tokenizers.GetValueOrDefault(name);
            routes.Add(name, known is not null && tokenizer is null && IsSame(was, memory, upstreams)
                ? was : new(memory, upstreams, u => PriceOf(u, snapshot.PriceList), was) { Tokenizer = tokenizer });
        }

        return new(snapshot.Mark, upstreams, routes);
    }

    private GatewayUpstream Make(
        string name, UpstreamOptions options, IReadOnlyList<string> keys, GatewayUpstream? known) =>
        known is not null && EffectiveJson.Same(known.Options, options) ? known
            : new(name, options, known?.Keys ?? new(keys), _clock, new(_seeds.Next()), known);

    private static bool IsSame(
        [NotNullWhen(true)] ChatRoute? was, RouteMemory memory, Dictionary<string, GatewayUpstream> upstreams) =>
        was is not null && was.Memory == memory && was.Steps.All(s => upstreams[s.Name] == s);

    /// <summary>A route's chain; what is counted of its steps goes on as long as their names are the same.</summary>
    private RouteMemory Remember(string name, RouteOptions options, RouteMemory? known)
    {
        if (known is not null && EffectiveJson.Same(known.Options, options))
            return known;
        var made = new RouteMemory(name, options, _clock);
        return known is null || !known.Names.SequenceEqual(made.Names)
            ? made : new RouteMemory(name, options, _clock) { Counts = known.Counts };
    }

    private static Dated<TokenPrice>? PriceOf(GatewayUpstream upstream, PriceList? prices) =>
        prices?.TokensOf(upstream.Name) ?? Declared(upstream.Options.Simulated);

    /// <summary>What a simulated one says of itself; null where it says nothing.</summary>
    private static Dated<TokenPrice>? Declared(SimulatedChatOptions? simulated)
    {
        if (simulated is null or { PerMillionInput: 0, PerMillionOutput: 0 })
            return null;
        var (input, output) = (Amounts.Of(simulated.PerMillionInput), Amounts.Of(simulated.PerMillionOutput));
        return Dated.Always(new TokenPrice { Input = input, Cached = input, Output = output, Reasoning = output });
    }
}

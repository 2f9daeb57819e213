using Spillway.Config;
using Spillway.Engine.Upstreams;
using Spillway.Flow;
using Spillway.Policies.Chains;

namespace Spillway.Engine.Routes;

/// <summary>
/// The routes of a server. What they lead to changes with the models and upstreams; what they remember (their caches,
/// which step they prefer now) stays. Thread-safe.
/// </summary>
internal sealed class RouteSet : IDisposable
{
    private readonly Dictionary<string, RouteMemory> _routes;
    private readonly UpstreamSet _upstreams;

    /// <summary>Makes the routes of a configuration.</summary>
    /// <param name="options">By name, validated; those over language models are the gateway's.</param>
    /// <param name="upstreams">What steps may name beside models.</param>
    /// <param name="clock">The clock.</param>
    public RouteSet(IReadOnlyDictionary<string, RouteOptions> options, UpstreamSet upstreams, Clock clock)
    {
        _routes = options.ToDictionary(o => o.Key, o => new RouteMemory(o.Key, o.Value, clock));
        _upstreams = upstreams;
    }

    /// <summary>Every route, in the order of the configuration.</summary>
    public IEnumerable<RouteMemory> All => _routes.Values;

    /// <summary>Whether a name is that of a route over language models.</summary>
    public Func<string, bool> IsChat { get; init; } = static _ => false;

    /// <summary>Whether a name is a route's.</summary>
    public bool Has(string name) => _routes.ContainsKey(name) || IsChat(name);

    /// <summary>The models with the routes over them as they lead now.</summary>
    public Catalogue Over(Catalogue models)
    {
        if (_routes.Count == 0)
            return models;
        // A route that is a step of another one leads somewhere before that does.
        var led = new Dictionary<string, Door?>(StringComparer.Ordinal);
        foreach (var route in _routes.Values)
            Lead(route, models, led);
        return models.Under([.. _routes.Keys.Select(name => led[name]).OfType<Door>()]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var route in _routes.Values)
            route.Dispose();
    }

    /// <summary>
    /// Null while none of its models was declared, and none ever was. Circles were refused at the start.
    /// </summary>
    private Door? Lead(RouteMemory route, Catalogue models, Dictionary<string, Door?> led)
    {
        if (led.TryGetValue(route.Name, out var known))
            return known;
        led[route.Name] = null;
        var doors = route.Options.Chain.Steps
            .Select(step => step.Kind is not ChainStepKind.Model ? null
                : _routes.TryGetValue(step.Model, out var inner) ? Lead(inner, models, led)
                : Find(step.Model, models)).ToArray();
        var ready = doors.FirstOrDefault(d => d?.Route.State is RouteState.Ready);
        // One that comes when it is asked for leads further than one that failed.
        var first = doors.FirstOrDefault(d => d?.Route.State is RouteState.Absent)
            ?? doors.FirstOrDefault(d => d is not null);
        var face = route.Face(ready, first);
        return led[route.Name] = face is null
            ? null : Door.Over(new(route, doors, face, name => Find(name, models)), face);
    }

    private Door? Find(string name, Catalogue models) =>
        _upstreams.Find(name) is { } upstream ? Door.Remote(upstream)
        : models.Find(name) is { Plan: null } door ? door
        : null;
}

using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Policies.Rollout;
using Spillway.Telemetry;

namespace Spillway.Engine.Rollout;

/// <summary>The rollouts of a server's routes: those that declare one, with what is counted. Thread-safe.</summary>
internal sealed class Rollouts : IAsyncDisposable
{
    /// <summary>In the place of a route's version: the model that answers by default.</summary>
    public const string Champion = "champion";

    /// <summary>In the place of a route's version: the one that is to take over.</summary>
    public const string Challenger = "challenger";

    private readonly Dictionary<string, DeclaredRollout> _declared;

    /// <summary>Nothing is under way until <see cref="RolloutDesk.Open"/>.</summary>
    /// <param name="routes">By name, validated.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Told of every change.</param>
    public Rollouts(IReadOnlyDictionary<string, RouteOptions> routes, Clock clock, ILogger logger)
    {
        _declared = routes.Where(r => r.Value.Rollout is not null).ToDictionary(
            r => r.Key, r => new DeclaredRollout(r.Key, r.Value.Chain.Steps[0].Model, r.Value.Rollout!));
        Desk = new(name => _declared.GetValueOrDefault(name)?.Options ?? new(), clock, logger);
    }

    /// <summary>What decides and is kept.</summary>
    public RolloutDesk Desk { get; }

    /// <summary>Every route that declares one, in the order of the configuration.</summary>
    public IEnumerable<DeclaredRollout> All => _declared.Values;

    /// <summary>One of them; null for a route that declares none.</summary>
    public DeclaredRollout? Find(string route) => _declared.GetValueOrDefault(route);

    /// <summary>
    /// Where a request of a route goes; null where the declared model answers: without a rollout, and when somebody
    /// declared another model since.
    /// </summary>
    /// <param name="declared">Of the route.</param>
    /// <param name="key">Whose side is kept.</param>
    /// <param name="request">A number of this request.</param>
    public RolloutRoute? Decide(DeclaredRollout declared, ReadOnlySpan<char> key, ulong request) =>
        Desk.Decide(declared.Route, key, request) is { } route && route.Seat.State.Concerns(declared.Model)
            ? route : null;

    /// <summary>
    /// The model behind a side's name as it stands now, "champion" or "challenger"; null for another name, and for a
    /// challenger where there is none.
    /// </summary>
    /// <param name="declared">Of the route.</param>
    /// <param name="alias">Which side.</param>
    public string? ModelOf(DeclaredRollout declared, ReadOnlySpan<char> alias)
    {
        var state = StateOf(declared.Route);
        var model = alias is Champion ? state?.Champion ?? declared.Model
            : alias is Challenger ? state?.Challenger ?? declared.Options.Challenger : "";
        return model.Length > 0 ? model : null;
    }

    /// <summary>
    /// Where the rollout of a route stands; null without one, and when somebody declared another model since.
    /// </summary>
    public RolloutState? StateOf(string route) =>
        Find(route) is { } declared && Desk.StateOf(route) is { } state && state.Concerns(declared.Model)
            ? state : null;

    /// <summary>The series of every route that declares a rollout.</summary>
    public IEnumerable<Series> Series() => All.SelectMany(declared => declared.Counts.Of(
        declared.Route,
        () => (Desk.Find(declared.Route)?.Percent ?? 0) / 100,
        () => Desk.Find(declared.Route) is { CopiesCompared: > 0 } view
            ? (double)view.CopiesAgreed / view.CopiesCompared : double.NaN,
        Enum.GetValues<RolloutPhase>().Select<RolloutPhase, (string Word, Func<bool> IsNow)>(phase =>
            (RolloutRows.Word(phase), () => Desk.Find(declared.Route)?.State.Phase == phase))));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Desk.DisposeAsync();
}

/// <summary>What a route declares of rollouts.</summary>
/// <param name="Route">Its name.</param>
/// <param name="Model">The first step's model, which answers when no rollout decided otherwise.</param>
/// <param name="Options">Validated.</param>
internal sealed record DeclaredRollout(string Route, string Model, RolloutOptions Options)
{
    /// <summary>What is counted.</summary>
    public RolloutInstruments Counts { get; } = new();
}

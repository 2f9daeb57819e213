using System.Collections.Concurrent;
using Spillway.Engine.Caching;
using Spillway.Flow;
using Spillway.Policies.Caching;
using Spillway.Policies.Pricing;

namespace Spillway.Engine.Routes;

/// <summary>A route's steps as they lead at one moment: immutable, a change of the models makes another one.</summary>
/// <param name="memory">What the route remembers over all of its plans.</param>
/// <param name="doors">
/// For each step its model's door; null for a step without one, and for one that is not known.
/// </param>
/// <param name="first">Whose signature is the route's.</param>
/// <param name="find">Finds what a rollout puts in the first step's place; null finds nothing.</param>
/// <param name="pinned">The model that every request gets first; null where rollouts decide.</param>
internal sealed class RoutePlan(
    RouteMemory memory, IReadOnlyList<Door?> doors, Door first, Func<string, Door?>? find = null, string? pinned = null)
{
    // By the name of a model; people start rollouts, so they are few.
    private readonly ConcurrentDictionary<string, RouteVersion> _versions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Door> _pinned = new(StringComparer.Ordinal);

    /// <summary>Of every route: it has no versions of its own.</summary>
    public const string Version = "1";

    /// <summary>The served name.</summary>
    public string Name => memory.Name;

    /// <summary>Who answers for it; empty for the model's owner.</summary>
    public string Owner => memory.Options.Owner;

    /// <summary>What it remembers.</summary>
    public RouteMemory Memory => memory;

    /// <summary>Remembered answers; null where none are.</summary>
    public AnswerCache? Cache => memory.Cache;

    /// <summary>Whose signature is the route's.</summary>
    public Door First => first;

    /// <summary>The names of its steps, as people read them.</summary>
    public IReadOnlyList<string> Names => memory.Names;

    /// <summary>How many steps.</summary>
    public int Count => doors.Count;

    /// <summary>What a remembered answer is an answer of.</summary>
    public CacheSubject Subject { get; } = memory.Subject.Of(doors[0]);

    /// <summary>The door of a step's model; null where it has none, or none that takes what the route takes.</summary>
    public Door? DoorOf(int step) => doors[step] is { } door && Fits(door) ? door : null;

    /// <summary>A model in the first step's place.</summary>
    public RouteVersion VersionOf(string model) =>
        _versions.TryGetValue(model, out var known) ? known : _versions.GetOrAdd(model, MakeVersion);

    /// <summary>The model that every request gets first; null where rollouts decide.</summary>
    public string? Pinned => pinned;

    /// <summary>The same route with that model first, whoever asks; null while none that fits is known.</summary>
    public Door? PinnedTo(string model) => VersionOf(model).Door is not { } door ? null
        : _pinned.TryGetValue(model, out var known) ? known
        : _pinned.GetOrAdd(model, Door.Over(new(memory, doors, first, find, model), door));

    /// <summary>The route that a step is; null for a step of another kind.</summary>
    public RoutePlan? RouteOf(int step) => doors[step]?.Plan;

    /// <summary>
    /// The models that come when they are asked for, each with the step that leads to it, in the order of the steps;
    /// those of a route that is a step in the order of its own.
    /// </summary>
    public IEnumerable<(int Step, Door Model)> Away()
    {
        for (var i = 0; i < doors.Count; i++)
        {
            var door = i == 0 && pinned is not null ? VersionOf(pinned).Door : doors[i];
            if (door is not { Route.State: RouteState.Absent })
                continue;
            foreach (var model in door.Plan?.Away().Select(a => a.Model) ?? [door])
                yield return (i, model);
        }
    }

    /// <summary>The predicted wait of each step for a newcomer; zero where nothing waits.</summary>
    /// <param name="waits">Takes them.</param>
    /// <param name="instead">What a rollout put in the first step's place; null for nothing.</param>
    public void PredictWaits(Span<TimeSpan> waits, Door? instead = null)
    {
        for (var i = 0; i < waits.Length; i++)
        {
            var door = i == 0 && instead is not null ? instead : doors[i];
            waits[i] = door is null ? TimeSpan.Zero : WaitAt(door);
        }
    }

    /// <summary>Of a route that is a step: its own first step's, for it passes that over by itself.</summary>
    private static TimeSpan WaitAt(Door door) => door switch
    {
        { Plan: { } route } => route.FirstDoor is { } first ? WaitAt(first) : TimeSpan.Zero,
        { Upstream: { } upstream } => upstream.PredictWait(),
        _ => door.Deployment?.Look().PredictedWait ?? TimeSpan.Zero,
    };

    private Door? FirstDoor => doors[0];

    /// <summary>A price of one of its steps; null where none has any.</summary>
    public Tariff? AnyTariff => doors.Select(d => d?.Route.Tariff).FirstOrDefault(t => t is not null);

    /// <summary>The dearest bound of the steps from one on; nothing where none of them has a price.</summary>
    /// <param name="from">The first step that may still run.</param>
    /// <param name="rows">Rows that it brings.</param>
    /// <param name="runMax">The longest that its run may take.</param>
    /// <param name="now">For the day's price.</param>
    public Money CostAtMost(int from, long rows, TimeSpan runMax, DateTimeOffset now)
    {
        var most = Money.Zero;
        for (var i = from; i < doors.Count; i++)
        {
            if (doors[i] is { } door && CostOf(door, rows, runMax, now) is var cost && cost > most)
                most = cost;
        }

        return most;
    }

    /// <summary>
    /// The most that an answer can cost: a model's, an upstream's, or a route's dearest step's, whichever side of a
    /// rollout there it will get.
    /// </summary>
    public static Money CostOf(Door door, long rows, TimeSpan runMax, DateTimeOffset now)
    {
        if (door.Plan is not { } route)
            return door.Route.Tariff?.AtMost(rows, door.RunMax(runMax), now) ?? Money.Zero;
        if (route.Memory.Rollout() is not { } state)
            return route.CostAtMost(0, rows, runMax, now);
        var most = route.CostAtMost(rows, runMax, now, route.VersionOf(state.Champion).Door);
        return state.IsOpen && route.VersionOf(state.Challenger).Door is { } challenger
            ? Dearer(most, CostOf(challenger, rows, runMax, now)) : most;
    }

    /// <summary>The dearest step's upper bound: any of them may be the one that runs.</summary>
    /// <param name="rows">Rows that it brings.</param>
    /// <param name="runMax">The longest that its run may take.</param>
    /// <param name="now">For the day's price.</param>
    /// <param name="instead">What a rollout put in the first step's place; null for nothing.</param>
    public Money CostAtMost(long rows, TimeSpan runMax, DateTimeOffset now, Door? instead = null)
    {
        var most = CostAtMost(0, rows, runMax, now);
        return instead is null ? most : Dearer(most, CostOf(instead, rows, runMax, now));
    }

    private static Money Dearer(Money one, Money other) => other > one ? other : one;

    /// <summary>
    /// Whether an attempt's answer is what its step promises; null when it is. Of a model that was loaded for it only
    /// the attempt's own door knows what it gives.
    /// </summary>
    public Fault? Judge(Work attempt, int step) =>
        Fits(attempt.Door) ? memory.Check(step, attempt.Door.Signature!, attempt.Outputs) : Unlike(step);

    /// <summary>A step that no model can answer.</summary>
    /// <param name="step">Which.</param>
    /// <param name="names">
    /// The steps' names where a rollout put another model first; null for the declared ones.
    /// </param>
    public Fault Unlike(int step, IReadOnlyList<string>? names = null) => new(
        FaultKind.ModelNotReady,
        $"Step {(names ?? Names)[step]} of {Name} has no model that takes and gives what the route does: it "
        + "is not known yet, or its inputs or outputs differ.");

    private RouteVersion MakeVersion(string model)
    {
        if (model == memory[0].Model)
            return new(DoorOf(0), Subject, Names);
        var door = find?.Invoke(model) is { } found && Fits(found) ? found : null;
        // Two served names may stand over one deployment, so the model's name belongs to it.
        return new(door, memory.SubjectOf(model).Of(door), [model, .. Names.Skip(1)]);
    }

    private bool Fits(Door door) => door.Signature is null || first.Signature is null
        || ReferenceEquals(door.Signature, first.Signature) || door.Signature.IsLike(first.Signature);
}

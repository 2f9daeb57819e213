using System.Collections.Concurrent;
using Spillway.Config;
using Spillway.Engine.Caching;
using Spillway.Flow;
using Spillway.Policies.Chains;
using Spillway.Policies.Rollout;
using Spillway.Telemetry;

namespace Spillway.Engine.Routes;

/// <summary>
/// What a route remembers while the models under it come and go: its cache, and which steps it passes over now. Owns
/// its chain's policy under one short lock. Thread-safe.
/// </summary>
internal sealed class RouteMemory : IDisposable
{
    // By the name of a model; people start rollouts, so they are few.
    private readonly ConcurrentDictionary<string, RouteSubject> _subjects = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private readonly ChainPolicy _chain;

    // A challenger's waits are others than its champion's: what is passed over of the one says nothing of the other.
    private readonly ChainPolicy _challengers;
    private readonly bool _foresees;
    private readonly FixedAnswer?[] _messages;
    private readonly AnswerCheck[][] _checks;

    // Of the models that were last there. Set under the lock of the catalogue that leads here.
    private (Door Of, Door Kept)? _last;

    /// <summary>Makes a route's memory.</summary>
    /// <param name="name">The served name.</param>
    /// <param name="options">Validated.</param>
    /// <param name="clock">The clock.</param>
    public RouteMemory(string name, RouteOptions options, Clock clock)
    {
        (Name, Options, _chain, _challengers) = (name, options, new(options.Chain), new(options.Chain));
        var steps = options.Chain.Steps;
        _foresees = steps.Any(s => s.WhenPredictedWaitMs is not null);
        Names = [.. steps.Select(NameOf)];
        (Counts, Subject) = (new(Names), new(name));
        _messages = [.. steps.Select(s => s.Kind is ChainStepKind.Message ? new FixedAnswer(name, s.Message) : null)];
        _checks = [.. steps.Select(s => s.Checks.Select(c => new AnswerCheck(c)).ToArray())];
        Cache = options.Cache.Enabled ? new(options.Cache, clock) : null;
    }

    /// <summary>The served name.</summary>
    public string Name { get; }

    /// <summary>As declared.</summary>
    public RouteOptions Options { get; }

    /// <summary>The names of the steps.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Remembered answers; null where none are.</summary>
    public AnswerCache? Cache { get; }

    /// <summary>What is counted.</summary>
    public RouteInstruments Counts { get; init; }

    /// <summary>Where the rollout at its first step stands; null without one. Set before serving.</summary>
    public Func<RolloutState?> Rollout { get; set; } = static () => null;

    /// <summary>How many steps.</summary>
    public int Count => _chain.Count;

    /// <summary>One step as it was declared.</summary>
    public ChainStepOptions this[int step] => Options.Chain.Steps[step];

    /// <summary>What its remembered answers are answers of.</summary>
    public RouteSubject Subject { get; }

    /// <summary>The same for another model in the first step's place.</summary>
    public RouteSubject SubjectOf(string model) =>
        _subjects.GetOrAdd(model, static (model, route) => new($"{route}\n{model}"), Name);

    /// <summary>
    /// Whose signature is the route's: of a model that is there; while none is, of the last one that was. Called by
    /// whoever changes what the route leads to, one at a time.
    /// </summary>
    /// <param name="ready">The first of its models that is there; null while none is.</param>
    /// <param name="first">The first that comes when it is asked for, else of all; null where none is known.</param>
    public Door? Face(Door? ready, Door? first)
    {
        if (ready is { Signature: not null } there)
        {
            if (_last is not { } last || !ReferenceEquals(last.Of, there))
                _last = (there, there.Remember(RouteState.Unloaded, ""));
            return there;
        }

        if (ready is not null || first is { Signature: not null })
            return ready ?? first;
        return _last is { } was
            ? was.Kept.Remember(first?.Route.State ?? RouteState.Unloaded, first?.Route.Why ?? "")
            : first;
    }

    /// <summary>The step of a request that begins.</summary>
    /// <param name="plan">Where the steps lead.</param>
    /// <param name="criticality">How much it matters.</param>
    /// <param name="now">The present.</param>
    /// <param name="instead">What a rollout put in the first step's place; null for nothing.</param>
    /// <param name="isChallenger">Whether that is the challenger.</param>
    public ChainMove Start(
        RoutePlan plan, Criticality criticality, Instant now, Door? instead = null, bool isChallenger = false)
    {
        if (!_foresees)
            return new(0, ChainReason.First);
        Span<TimeSpan> waits = stackalloc TimeSpan[Count];
        plan.PredictWaits(waits, instead);
        lock (_lock)
            return (isChallenger ? _challengers : _chain).Start(waits, criticality, now);
    }

    /// <summary>Whether a refusal of that kind at a step moves on to another one.</summary>
    public bool MovesOn(int step, FaultKind fault, TimeSpan left) => _chain.Next(step, fault, left).Step >= 0;

    /// <summary>The step behind one that failed.</summary>
    public ChainMove Next(int step, FaultKind fault, TimeSpan left) => _chain.Next(step, fault, left);

    /// <summary>The step behind one that had no answer to give.</summary>
    public ChainMove Missed(int step, TimeSpan left) => _chain.Missed(step, left);

    /// <summary>How long a step may take, of the time that is left.</summary>
    public TimeSpan TimeoutOf(int step, TimeSpan left) => _chain.TimeoutOf(step, left);

    /// <summary>The fixed answer of a step; null for another kind.</summary>
    public FixedAnswer? MessageOf(int step) => _messages[step];

    /// <summary>Asks for the outputs that a step's checks need, where the caller named others only.</summary>
    public void AskForChecked(int step, Signature signature, IList<RequestedOutput> asked)
    {
        if (asked.Count == 0)
            return;
        foreach (var check in _checks[step])
        {
            if (PortOf(check, signature) is >= 0 and var port && asked.All(a => a.Port != port))
                asked.Add(new(port, Binary: null));
        }
    }

    /// <summary>Whether an answer is what its step promises; null when it is.</summary>
    public Fault? Check(int step, Signature signature, TensorSet outputs)
    {
        foreach (var check in _checks[step])
        {
            var index = PortOf(check, signature) is >= 0 and var port ? outputs.Find(port) : -1;
            var why = index < 0 ? "it is missing"
                : check.Judge(outputs[index].Type, outputs[index].Shape, outputs[index].Data.Span);
            if (why is not null)
            {
                var name = check.Output.Length > 0 ? check.Output : signature.Outputs[0].Name;
                return new(
                    FaultKind.AnswerUnfit,
                    $"The answer of step {Names[step]} of {Name} is not fit: output '{name}': {why}.");
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => Cache?.Dispose();

    private static int PortOf(AnswerCheck check, Signature signature) =>
        check.Output.Length == 0 ? 0 : signature.FindOutput(System.Text.Encoding.UTF8.GetBytes(check.Output));

    private static string NameOf(ChainStepOptions step) => step.Kind switch
    {
        ChainStepKind.Model => step.Model,
        ChainStepKind.Cached => "cached",
        ChainStepKind.Message => "message",
    };
}

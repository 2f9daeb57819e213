using System.Globalization;

namespace Spillway.Policies.Chains;

/// <summary>
/// The steps of a route, and when the next one is taken: after a fault that was declared to move on, and before
/// anything fails when a step's predicted wait is above its bound. That is left again below a lower bound, and not
/// sooner than the hold. While critical requests come, the sheddable ones step aside sooner, so that those find the
/// full answer. A step is taken at most once in a request, always forwards, so a chain ends. Pure apart from
/// what it remembers of predicted waits; one owner; nothing is allocated in a decision.
/// </summary>
internal sealed class ChainPolicy
{
    /// <summary>The parts of a bound: all of it, a half for sheddable-plus, a quarter for sheddable requests.</summary>
    private const int Parts = 3;

    /// <summary>For so long behind a critical request the sheddable ones leave room for the next.</summary>
    private static readonly TimeSpan s_guarded = TimeSpan.FromSeconds(10);

    private readonly Step[] _steps;
    private readonly TimeSpan _hold;

    // By part and step: what is passed over by the less critical need not be by the others.
    private readonly bool[] _avoided;
    private readonly Instant[] _avoidedAt;
    private Instant _guardedUntil;

    /// <summary>Of options that <see cref="ChainCheck"/> found nothing in.</summary>
    public ChainPolicy(ChainOptions options)
    {
        _steps = [.. options.Steps.Select(Step.Of)];
        _hold = TimeSpan.FromMilliseconds(options.HoldMs);
        (_avoided, _avoidedAt) = (new bool[Parts * _steps.Length], new Instant[Parts * _steps.Length]);
    }

    /// <summary>How many steps there are.</summary>
    public int Count => _steps.Length;

    /// <summary>What a step was declared as.</summary>
    public ChainStepOptions this[int step] => _steps[step].Options;

    /// <summary>Whether a step is passed over now for its predicted wait, by whoever may have all of its
    /// bound.</summary>
    public bool IsAvoided(int step) => _avoided[step];

    /// <summary>The first step of a request.</summary>
    /// <param name="predictedWaits">By step; what is missing counts as none.</param>
    /// <param name="criticality">How much it matters.</param>
    /// <param name="now">The present.</param>
    public ChainMove Start(ReadOnlySpan<TimeSpan> predictedWaits, Criticality criticality, Instant now)
    {
        var part = PartOf(criticality, now);
        for (var i = 0; i < _steps.Length; i++)
        {
            var predicted = i < predictedWaits.Length ? predictedWaits[i] : TimeSpan.Zero;
            // The last step has nothing behind it to be avoided for.
            if (i == _steps.Length - 1 || !Avoids(i, part, predicted, now))
                return i == 0 ? new(0, ChainReason.First) : Avoided(i, part, predictedWaits);
        }

        return new(-1, ChainReason.LastStep);
    }

    /// <summary>What follows a step that failed.</summary>
    /// <param name="step">Which.</param>
    /// <param name="fault">How.</param>
    /// <param name="left">Time to the request's deadline; not above zero when it has passed.</param>
    public ChainMove Next(int step, FaultKind fault, TimeSpan left) => _steps[step].On.Has(fault)
        ? Behind(step, fault, left, ChainReason.Fault)
        : new(-1, ChainReason.NotDeclared, step, fault);

    /// <summary>What follows a step that had no answer to give: a cache without one.</summary>
    public ChainMove Missed(int step, TimeSpan left) => Behind(step, null, left, ChainReason.Missed);

    /// <summary>How long a step may take, of the time that is left.</summary>
    public TimeSpan TimeoutOf(int step, TimeSpan left)
    {
        var own = _steps[step].Timeout;
        return own > TimeSpan.Zero && own < left ? own : left;
    }

    /// <summary>A move as a sentence, for the record of the request.</summary>
    public string Explain(in ChainMove move) => move.Reason switch
    {
        ChainReason.First => Text($"{Name(move.Step)}: the first step"),
        ChainReason.PredictedWait => Text($"{Name(move.Step)}: {Name(move.From)} would wait ")
            + Text($"{move.Predicted.TotalMilliseconds:0.#} ms, its bound is {move.Bound.TotalMilliseconds:0.#} ms"),
        ChainReason.Fault => Text($"{Name(move.Step)}: {Name(move.From)} failed ({move.Fault})"),
        ChainReason.Missed => Text($"{Name(move.Step)}: {Name(move.From)} had no answer"),
        ChainReason.NotDeclared => Text($"no further step: {move.Fault} of {Name(move.From)} does not move on"),
        ChainReason.LastStep => Text($"no further step: {Name(move.From)} was the last one"),
        ChainReason.NoTime => Text($"no further step: none behind {Name(move.From)} fits into the time that is left"),
    };

    /// <summary>How often a step's bounds are halved for a class now.</summary>
    private int PartOf(Criticality criticality, Instant now)
    {
        if (criticality >= Criticality.Critical)
        {
            // What the others passed over when they last stood aside says nothing of now.
            if (now >= _guardedUntil)
                Array.Clear(_avoided, _steps.Length, (Parts - 1) * _steps.Length);
            _guardedUntil = now + s_guarded;
            return 0;
        }

        return now >= _guardedUntil ? 0 : criticality is Criticality.SheddablePlus ? 1 : 2;
    }

    private bool Avoids(int step, int part, TimeSpan predicted, Instant now)
    {
        ref readonly var it = ref _steps[step];
        var at = (part * _steps.Length) + step;
        if (it.Above is { } above && predicted > above / (1 << part))
        {
            if (!_avoided[at])
                _avoidedAt[at] = now;
            _avoided[at] = true;
        }
        else if (_avoided[at] && predicted < it.Below / (1 << part) && now - _avoidedAt[at] >= _hold)
            _avoided[at] = false;
        return _avoided[at];
    }

    private ChainMove Avoided(int step, int part, ReadOnlySpan<TimeSpan> predictedWaits) => new(
        step, ChainReason.PredictedWait, step - 1, null,
        step <= predictedWaits.Length ? predictedWaits[step - 1] : default)
    {
        Bound = (_steps[step - 1].Above ?? default) / (1 << part),
    };

    private ChainMove Behind(int step, FaultKind? fault, TimeSpan left, ChainReason reason)
    {
        if (step == _steps.Length - 1)
            return new(-1, ChainReason.LastStep, step, fault);
        for (var next = step + 1; next < _steps.Length; next++)
        {
            // What is at hand needs no time: it is given also when the deadline has just passed.
            if (_steps[next].Options.Kind is not ChainStepKind.Model
                || (left > TimeSpan.Zero && left >= _steps[next].Needs))
                return new(next, reason, step, fault);
        }

        return new(-1, ChainReason.NoTime, step, fault);
    }

    private string Name(int step) => step < 0 ? "no step" : _steps[step].Options switch
    {
        { Kind: ChainStepKind.Model } it => $"step {step} ({it.Model})",
        { Kind: ChainStepKind.Cached } => $"step {step} (cached answer)",
        _ => $"step {step} (message)",
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private readonly record struct Step(
        ChainStepOptions Options, ChainCauses On, TimeSpan? Above, TimeSpan Below, TimeSpan Timeout, TimeSpan Needs)
    {
        public static Step Of(ChainStepOptions options)
        {
            return new(
                options, ChainCauses.Of(options.On),
                options.WhenPredictedWaitMs is { } above ? TimeSpan.FromMilliseconds(above) : null,
                TimeSpan.FromMilliseconds(options.LeaveBelowMs ?? (options.WhenPredictedWaitMs ?? 0) / 2),
                TimeSpan.FromMilliseconds(options.TimeoutMs), TimeSpan.FromMilliseconds(options.NeedsMs));
        }
    }
}

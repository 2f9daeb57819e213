using Spillway.Flow.Guards;
using Spillway.Policies.Rates;
using Spillway.Telemetry;

namespace Spillway.Engine.Guards;

/// <summary>
/// The short lock of one limit or budget, and who waits for it. Locks of several are taken in the order of their
/// numbers, so that nobody waits in a circle.
/// </summary>
/// <param name="number">Its place in that order.</param>
/// <param name="counts">What is counted for its rule.</param>
internal class Held(int number, GuardInstruments counts)
{
    /// <summary>Guards the state and the lines. No await, write, completion or log inside.</summary>
    public Lock Lock { get; } = new();

    /// <summary>Its place in the order.</summary>
    public int Number => number;

    /// <summary>What is counted for its rule.</summary>
    public GuardInstruments Counts => counts;

    /// <summary>Who waits for somebody to leave or to give money back, the first first. Guarded by the lock.</summary>
    public LinkedList<GuardWait> Line { get; } = [];

    /// <summary>The first of the line, to be woken outside the lock; null for none. Under the lock.</summary>
    public GuardWait? NextInLine()
    {
        if (Line.First is not { } first)
            return null;
        Line.Remove(first);
        return first.Value;
    }
}

/// <summary>A rate limit with its lock.</summary>
/// <param name="number">Its place in the order of locks.</param>
/// <param name="state">The limit, under the name of its rule.</param>
/// <param name="counts">What is counted for its rule.</param>
internal sealed class HeldRate(int number, Named<RateState> state, GuardInstruments counts) : Held(number, counts)
{
    /// <summary>The limit, under the name of its rule.</summary>
    public Named<RateState> State => state;
}

/// <summary>One who waits at the gate.</summary>
/// <param name="at">What for.</param>
/// <param name="most">How long at most.</param>
/// <param name="isDraw">For a slice, in place of its turn.</param>
internal sealed class GuardWait(Held at, TimeSpan most, bool isDraw)
{
    private readonly TaskCompletionSource _turn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What for.</summary>
    public Held At => at;

    /// <summary>How long at most.</summary>
    public TimeSpan Most => most;

    /// <summary>For a slice.</summary>
    public bool IsDraw => isDraw;

    /// <summary>Completes with its turn.</summary>
    public Task Turn => _turn.Task;

    /// <summary>It is its turn.</summary>
    public void Wake() => _turn.TrySetResult();
}

/// <summary>The limits and budgets of one caller at one served name, resolved once.</summary>
/// <param name="route">The served name's or the step's state that it was resolved for.</param>
/// <param name="asked">The served name that the caller asked for.</param>
/// <param name="set">The pure rules.</param>
/// <param name="rates">Each rate limit, in the order of the set.</param>
/// <param name="budgets">Each budget, in the order of the set.</param>
/// <param name="weight">The tenant's, for fair shares.</param>
internal sealed class ResolvedGuards(
    Flow.Route route, string asked, GuardSet set, HeldRate[] rates, HeldBudget[] budgets, double weight)
{
    private readonly Held[] _ordered = [.. rates.Concat<Held>(budgets).OrderBy(h => h.Number)];

    /// <summary>The served name's or the step's state that it was resolved for.</summary>
    public Flow.Route Route => route;

    /// <summary>The served name that the caller asked for.</summary>
    public string Asked => asked;

    /// <summary>The pure rules.</summary>
    public GuardSet Set => set;

    /// <summary>Of each rate limit.</summary>
    public HeldRate[] Rates => rates;

    /// <summary>Of each budget.</summary>
    public HeldBudget[] Budgets => budgets;

    /// <summary>The tenant's.</summary>
    public double Weight => weight;

    /// <summary>Takes every lock; always in one order.</summary>
    public void Enter()
    {
        foreach (var held in _ordered)
            held.Lock.Enter();
    }

    /// <summary>Gives every lock back.</summary>
    public void Exit()
    {
        foreach (var held in _ordered)
            held.Lock.Exit();
    }
}

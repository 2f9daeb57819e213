using Spillway.Policies.Rates;

namespace Spillway.Flow.Guards;

/// <summary>
/// What a request holds of limits and budgets, from the gate to its settlement. One for each pooled request, used
/// again: nothing is allocated once it was as large as it must be. One owner.
/// </summary>
public sealed class GuardTicket
{
    private long[] _cells = [];

    /// <summary>Whose limits and budgets; null when nothing is held.</summary>
    public GuardSet? Set { get; private set; }

    /// <summary>Set aside in each budget: the most that the request can cost.</summary>
    public Money Reserved { get; private set; }

    /// <summary>The tenant whose places it holds.</summary>
    public string Tenant => Asked.Tenant ?? "";

    /// <summary>What it took of rate limits.</summary>
    public RateAsk Asked { get; private set; }

    /// <summary>What is left of the tightest rate limit; default where there is none.</summary>
    public RateLeft Left { get; internal set; }

    /// <summary>What is left of the tightest limit of requests a second; default where there is none.</summary>
    public RateLeft LeftRequests { get; internal set; }

    /// <summary>What is left of the tightest limit of tokens a second; default where there is none.</summary>
    public RateLeft LeftTokens { get; internal set; }

    /// <summary>
    /// The limit or budget that had the say: the one that refused, else the tightest budget; or empty.
    /// </summary>
    public string Named { get; internal set; } = "";

    /// <summary>Whether a budget counts it, and let it pass.</summary>
    public bool HasBudget { get; private set; }

    /// <summary>What was left in the tightest budget, or in the one that refused.</summary>
    public Money BudgetLeft { get; internal set; }

    /// <summary>The part of the fullest budget above its first threshold that is gone; 0 below.</summary>
    public double Warning { get; internal set; }

    /// <summary>That budget.</summary>
    public string WarningOf { get; internal set; } = "";

    /// <summary>The most that the request could cost, also where it was refused.</summary>
    public Money CostAtMost { get; internal set; }

    /// <summary>What was short, when a rate limit refused.</summary>
    public RateUnit Short { get; internal set; }

    /// <summary>The time it waited for its turn at the gate.</summary>
    public TimeSpan Waited { get; set; }

    /// <summary>The cell of time of each budget in which it was reserved.</summary>
    internal Span<long> Cells => _cells;

    /// <summary>As new.</summary>
    public void Reset()
    {
        (Set, Reserved, Asked, Left, Named, BudgetLeft) = (null, default, default, default, "", default);
        (Warning, WarningOf, CostAtMost, Short, Waited, HasBudget) = (0, "", default, default, default, false);
        (LeftRequests, LeftTokens) = (default, default);
    }

    /// <summary>
    /// What limits and budgets said of one step of the request, where that is tighter than what is known. It is told of
    /// the request; what the step holds stays the step's.
    /// </summary>
    internal void Hear(GuardTicket step)
    {
        Left = Tighter(Left, step.Left);
        (LeftRequests, LeftTokens) = (Tighter(LeftRequests, step.LeftRequests), Tighter(LeftTokens, step.LeftTokens));
        if (step.Warning > Warning)
            (Warning, WarningOf) = (step.Warning, step.WarningOf);
        if (step.HasBudget && (!HasBudget || step.BudgetLeft.Nano < BudgetLeft.Nano))
            (HasBudget, Named, BudgetLeft, CostAtMost) = (true, step.Named, step.BudgetLeft, step.CostAtMost);
        else if (Named.Length == 0)
            Named = step.Named;
    }

    private static RateLeft Tighter(RateLeft known, RateLeft other) =>
        other.Limit > 0 && (known.Limit == 0 || other.Share < known.Share) ? other : known;

    /// <summary>Everything is taken.</summary>
    internal void Open(GuardSet set, in RateAsk asked, Money reserved, int budgets)
    {
        if (_cells.Length < budgets)
            _cells = new long[budgets];
        (Set, Asked, Reserved, HasBudget) = (set, asked, reserved, budgets > 0);
    }

    /// <summary>Everything is given back or paid.</summary>
    internal void Close() => (Set, Reserved) = (null, default);
}

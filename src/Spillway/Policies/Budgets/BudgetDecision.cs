namespace Spillway.Policies.Budgets;

/// <summary>Whether a budget lets a request pass.</summary>
public enum BudgetSays
{
    /// <summary>There is enough, and it is durable.</summary>
    Passed,

    /// <summary>There is enough, and the next slice is not on the disk yet.</summary>
    NotDrawn,

    /// <summary>There is not enough.</summary>
    Exhausted,
}

/// <summary>What a budget says to a request.</summary>
/// <param name="Says">Whether it passes.</param>
/// <param name="Left">What nobody has spent or reserved.</param>
/// <param name="RetryAfter">When enough comes back at the latest; only where exhausted. MaxValue: never.</param>
public readonly record struct BudgetVerdict(BudgetSays Says, Money Left, TimeSpan RetryAfter = default);

/// <summary>What a settlement made happen.</summary>
/// <param name="Over">What was spent beyond the reservation.</param>
/// <param name="Threshold">The soft threshold that was passed just now, as a part of the limit; 0 for none.</param>
public readonly record struct BudgetSettled(Money Over, double Threshold);

/// <summary>A number to make durable: what counts as spent of a cell, whatever happens.</summary>
/// <param name="Cell">Which.</param>
/// <param name="Drawn">What counts as spent after a crash.</param>
/// <param name="Spent">What is known to be spent.</param>
/// <param name="IsGone">The cell's money has moved to another cell of the same plan; it is to be forgotten.</param>
public readonly record struct Draw(CellSpan Cell, Money Drawn, Money Spent, bool IsGone = false);

/// <summary>A look at a budget.</summary>
/// <param name="Spent">In the window, what a crash made uncertain included.</param>
/// <param name="Reserved">For requests in flight.</param>
/// <param name="Drawn">Durable as spent in the present cell.</param>
/// <param name="Lost">Of what counts as spent, what crashes made uncertain.</param>
/// <param name="Cell">The present window, or the present part of a rolling one.</param>
public readonly record struct BudgetState(Money Spent, Money Reserved, Money Drawn, Money Lost, CellSpan Cell);

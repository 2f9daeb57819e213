using Spillway.Flow.Guards;
using Spillway.Policies.Budgets;
using Spillway.Telemetry;

namespace Spillway.Engine.Guards;

/// <summary>A budget with its lock, and who waits for its next slice.</summary>
/// <param name="number">Its place in the order of locks.</param>
/// <param name="account">The budget.</param>
/// <param name="window">What its windows are called in the store.</param>
/// <param name="counts">What is counted for its rule.</param>
internal sealed class HeldBudget(int number, Named<BudgetAccount> account, string window, GuardInstruments counts)
    : Held(number, counts)
{
    private int _asked;

    /// <summary>The budget, under the name of its rule.</summary>
    public Named<BudgetAccount> Account => account;

    /// <summary>Whether the writer should look at it. Under the lock.</summary>
    public bool WantsDraw => account.State.WantsDraw;

    /// <summary>What its windows are called in the store.</summary>
    public string Window => window;

    /// <summary>Who waits for the next slice. Guarded by the lock.</summary>
    public List<GuardWait> Drawing { get; } = [];

    /// <summary>Why the last write failed; null when it went well. Guarded by the lock.</summary>
    public string? Trouble { get; set; }

    /// <summary>The writer is to look at it; true for the first who says so since it last looked.</summary>
    public bool Ask() => Interlocked.Exchange(ref _asked, 1) == 0;

    /// <summary>The writer looks at it now.</summary>
    public void Asked() => Volatile.Write(ref _asked, 0);
}

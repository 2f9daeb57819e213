namespace Spillway.Policies.Retry;

/// <summary>Why there is another attempt, or none.</summary>
internal enum RetryReason : byte
{
    /// <summary>Again: it may have been a passing fault.</summary>
    Transient,

    /// <summary>Again, with distance: the other side has enough to do.</summary>
    Throttled,

    /// <summary>Nothing was sent: wait for the first target that may be asked again.</summary>
    AwaitsTarget,

    /// <summary>No: the table says that no attempt mends this fault.</summary>
    NotMendable,

    /// <summary>No: the caller has bytes of an answer already, and two answers do not make one.</summary>
    FirstByteSent,

    /// <summary>No: every attempt that one request may have was made.</summary>
    AttemptsUsed,

    /// <summary>No: the other side said not to try again.</summary>
    ToldNot,

    /// <summary>No: the wait and the attempt do not fit before the deadline.</summary>
    NoTime,

    /// <summary>No: the retry budget of the targets is spent.</summary>
    BudgetSpent,
}

/// <summary>What is known of a failed attempt.</summary>
/// <param name="Kind">How it failed.</param>
/// <param name="Attempts">Attempts that were made, this one included; at least 1.</param>
/// <param name="FirstByteSent">Whether the caller has a byte of the answer.</param>
/// <param name="Deadline">When the answer is due.</param>
/// <param name="RetryAfter">What the other side asked to wait; null when it did not say.</param>
/// <param name="Expected">What another attempt is expected to take; zero when nothing is known.</param>
/// <param name="ToldNot">Whether the other side said not to try again (x-should-retry: false).</param>
internal readonly record struct RetryAsk(
    FaultKind Kind, int Attempts, bool FirstByteSent, Instant Deadline, TimeSpan? RetryAfter = null,
    TimeSpan Expected = default, bool ToldNot = false);

/// <summary>Whether to try again.</summary>
/// <param name="Again">
/// True: after <paramref name="Wait"/>. Where <see cref="TakesBudget"/>, one of the retry budget is taken and goes back
/// with <see cref="RetryBudget.Ended"/> when the attempt is over or given up.
/// </param>
/// <param name="Wait">Until the attempt begins; zero when there is none.</param>
/// <param name="Reason">Why.</param>
internal readonly record struct RetryDecision(bool Again, TimeSpan Wait, RetryReason Reason)
{
    /// <summary>Whether one of the budget was taken.</summary>
    public bool TakesBudget => Again && Reason is not RetryReason.AwaitsTarget;

    /// <summary>No further attempt.</summary>
    public static RetryDecision No(RetryReason reason) => new(false, TimeSpan.Zero, reason);
}

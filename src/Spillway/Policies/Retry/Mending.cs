namespace Spillway.Policies.Retry;

/// <summary>Whether another attempt may mend a fault, and how soon it is worth one.</summary>
internal enum Mending
{
    /// <summary>Another attempt would end the same way, or make things worse.</summary>
    Never,

    /// <summary>It may well succeed elsewhere or a moment later.</summary>
    Transient,

    /// <summary>The other side has enough to do: later, and with more distance.</summary>
    Throttled,

    /// <summary>
    /// Nothing was sent, because nobody may be asked now: waiting mends it, and takes nothing of the retry budget.
    /// </summary>
    Unsent,
}

/// <summary>
/// What another attempt may mend. A complete table: a new kind of fault does not compile without its row.
/// </summary>
/// <remarks>
/// What an upstream answers arrives here as one of the Upstream kinds. The refusals of a deployment of this server are
/// not repeated: a second attempt at a full queue is what overload is made of, so a fallback chain moves on instead.
/// </remarks>
internal static class RetryTable
{
    /// <summary>The row of a kind.</summary>
    public static Mending Of(FaultKind kind) => kind switch
    {
        FaultKind.UpstreamUnreachable or FaultKind.UpstreamFailed or FaultKind.UpstreamTimeout
            or FaultKind.RuntimeFailed => Mending.Transient,
        FaultKind.UpstreamThrottled => Mending.Throttled,
        FaultKind.TargetsOpen => Mending.Unsent,
        // The request itself is wrong, or its caller may not.
        FaultKind.InvalidInput or FaultKind.InputTooLarge or FaultKind.InputIncomplete or FaultKind.UnknownPath
            or FaultKind.WrongMethod or FaultKind.UnknownModel or FaultKind.UnknownRequest or FaultKind.Forbidden
            or FaultKind.Unauthenticated or FaultKind.Unsupported => Mending.Never,
        // This server has too much to do already, or is told not to.
        FaultKind.ModelNotReady or FaultKind.QueueFull or FaultKind.ServerFull or FaultKind.PredictedLate
            or FaultKind.DroppedLate or FaultKind.ShuttingDown or FaultKind.SwitchedOff or FaultKind.RateLimited
            or FaultKind.BudgetExhausted or FaultKind.Shed or FaultKind.StoreFailed => Mending.Never,
        // Nobody waits for it any more.
        FaultKind.DeadlineExceeded or FaultKind.Cancelled => Mending.Never,
        // The same question to the same model gives the same answer; a bug is not mended by repeating it.
        FaultKind.AnswerUnfit or FaultKind.LoadFailed or FaultKind.Internal => Mending.Never,
    };
}

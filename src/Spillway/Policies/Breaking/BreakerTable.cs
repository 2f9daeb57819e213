namespace Spillway.Policies.Breaking;

/// <summary>What a result says about the target that it came from.</summary>
internal enum TargetSign : byte
{
    /// <summary>It works.</summary>
    Well,

    /// <summary>It failed, or nobody is there.</summary>
    Failed,

    /// <summary>It has enough to do.</summary>
    Throttled,

    /// <summary>Nothing: the fault is the request's, the caller's, or this server's.</summary>
    Nothing,
}

/// <summary>What a fault says about a target. A complete table.</summary>
internal static class BreakerTable
{
    /// <summary>The row of a kind; null is a success.</summary>
    public static TargetSign Of(FaultKind? fault) => fault is { } kind ? Of(kind) : TargetSign.Well;

    private static TargetSign Of(FaultKind kind) => kind switch
    {
        FaultKind.UpstreamUnreachable or FaultKind.UpstreamFailed or FaultKind.UpstreamTimeout
            or FaultKind.RuntimeFailed => TargetSign.Failed,
        FaultKind.UpstreamThrottled => TargetSign.Throttled,
        // A target that answers "your request is wrong" or nonsense of the model's making is there and works.
        FaultKind.InvalidInput or FaultKind.InputTooLarge or FaultKind.UnknownModel or FaultKind.Unauthenticated
            or FaultKind.Forbidden or FaultKind.Unsupported or FaultKind.AnswerUnfit => TargetSign.Well,
        FaultKind.InputIncomplete or FaultKind.UnknownPath or FaultKind.WrongMethod or FaultKind.UnknownRequest
            or FaultKind.ModelNotReady or FaultKind.QueueFull or FaultKind.ServerFull or FaultKind.PredictedLate
            or FaultKind.DroppedLate or FaultKind.DeadlineExceeded or FaultKind.Cancelled or FaultKind.ShuttingDown
            or FaultKind.SwitchedOff or FaultKind.RateLimited or FaultKind.BudgetExhausted or FaultKind.StoreFailed
            or FaultKind.LoadFailed or FaultKind.TargetsOpen or FaultKind.Shed
            or FaultKind.Internal => TargetSign.Nothing,
    };
}

namespace Spillway.Policies.Caching;

/// <summary>What the fault of one request says about others that ask the same.</summary>
internal static class LeadEnds
{
    /// <summary>For each kind of fault.</summary>
    public static LeadEnd Of(FaultKind kind) => kind switch
    {
        // The question itself is wrong, or nobody answers it: the same for everybody.
        FaultKind.InvalidInput or FaultKind.InputTooLarge or FaultKind.UnknownPath or FaultKind.WrongMethod
            or FaultKind.UnknownModel or FaultKind.UnknownRequest or FaultKind.Unsupported or FaultKind.LoadFailed
            or FaultKind.ShuttingDown or FaultKind.SwitchedOff => LeadEnd.Hopeless,
        // What that caller may, has left, and had time for: nothing about the others.
        FaultKind.InputIncomplete or FaultKind.Forbidden or FaultKind.Unauthenticated or FaultKind.PredictedLate
            or FaultKind.DroppedLate or FaultKind.DeadlineExceeded or FaultKind.Cancelled or FaultKind.RateLimited
            or FaultKind.BudgetExhausted or FaultKind.UpstreamTimeout or FaultKind.Shed => LeadEnd.Left,
        FaultKind.ModelNotReady or FaultKind.QueueFull or FaultKind.ServerFull or FaultKind.StoreFailed
            or FaultKind.RuntimeFailed or FaultKind.Internal or FaultKind.UpstreamUnreachable
            or FaultKind.UpstreamFailed or FaultKind.UpstreamThrottled or FaultKind.TargetsOpen
            or FaultKind.AnswerUnfit => LeadEnd.Failed,
    };
}

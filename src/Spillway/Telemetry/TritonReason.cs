namespace Spillway.Telemetry;

/// <summary>Why a request failed, in the four words that Triton's counter has.</summary>
internal enum TritonReason
{
    /// <summary>Not let in, or taken out of the queue.</summary>
    Rejected,

    /// <summary>The caller left.</summary>
    Canceled,

    /// <summary>The runtime failed.</summary>
    Backend,

    /// <summary>Anything else, a wrong request above all.</summary>
    Other,
}

/// <summary>Faults as Triton's reasons.</summary>
internal static class TritonReasons
{
    /// <summary>How many there are.</summary>
    public const int Count = 4;

    /// <summary>The label of a reason.</summary>
    public static string Label(this TritonReason reason) => reason switch
    {
        TritonReason.Rejected => "REJECTED",
        TritonReason.Canceled => "CANCELED",
        TritonReason.Backend => "BACKEND",
        TritonReason.Other => "OTHER",
    };

    /// <summary>The reason of a fault.</summary>
    public static TritonReason Of(FaultKind kind) => kind switch
    {
        FaultKind.ModelNotReady or FaultKind.QueueFull or FaultKind.ServerFull or FaultKind.PredictedLate
            or FaultKind.DroppedLate or FaultKind.DeadlineExceeded or FaultKind.ShuttingDown
            or FaultKind.SwitchedOff or FaultKind.RateLimited or FaultKind.BudgetExhausted
            or FaultKind.StoreFailed or FaultKind.TargetsOpen or FaultKind.Shed => TritonReason.Rejected,
        FaultKind.Cancelled => TritonReason.Canceled,
        FaultKind.RuntimeFailed or FaultKind.LoadFailed or FaultKind.UpstreamUnreachable or FaultKind.UpstreamFailed
            or FaultKind.UpstreamThrottled or FaultKind.UpstreamTimeout
            or FaultKind.AnswerUnfit => TritonReason.Backend,
        FaultKind.InvalidInput or FaultKind.InputTooLarge or FaultKind.InputIncomplete or FaultKind.UnknownPath
            or FaultKind.WrongMethod or FaultKind.UnknownModel or FaultKind.UnknownRequest or FaultKind.Forbidden
            or FaultKind.Unauthenticated or FaultKind.Unsupported or FaultKind.Internal => TritonReason.Other,
    };
}

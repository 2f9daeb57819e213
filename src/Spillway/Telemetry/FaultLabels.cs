namespace Spillway.Telemetry;

/// <summary>Faults as metric labels and as the outcome in request records: the kind in snake_case.</summary>
internal static class FaultLabels
{
    /// <summary>The outcome of a request without a fault.</summary>
    public const string Ok = "ok";

    /// <summary>Every kind, in the order of the enum.</summary>
    public static IReadOnlyList<FaultKind> Kinds { get; } = Enum.GetValues<FaultKind>();

    /// <summary>The label of a kind.</summary>
    public static string Of(FaultKind kind) => kind switch
    {
        FaultKind.InvalidInput => "invalid_input",
        FaultKind.InputTooLarge => "input_too_large",
        FaultKind.InputIncomplete => "input_incomplete",
        FaultKind.UnknownPath => "unknown_path",
        FaultKind.WrongMethod => "wrong_method",
        FaultKind.UnknownModel => "unknown_model",
        FaultKind.UnknownRequest => "unknown_request",
        FaultKind.Forbidden => "forbidden",
        FaultKind.Unauthenticated => "unauthenticated",
        FaultKind.Unsupported => "unsupported",
        FaultKind.ModelNotReady => "model_not_ready",
        FaultKind.QueueFull => "queue_full",
        FaultKind.ServerFull => "server_full",
        FaultKind.PredictedLate => "predicted_late",
        FaultKind.DroppedLate => "dropped_late",
        FaultKind.DeadlineExceeded => "deadline_exceeded",
        FaultKind.Cancelled => "cancelled",
        FaultKind.ShuttingDown => "shutting_down",
        FaultKind.SwitchedOff => "switched_off",
        FaultKind.RateLimited => "rate_limited",
        FaultKind.BudgetExhausted => "budget_exhausted",
        FaultKind.StoreFailed => "store_failed",
        FaultKind.RuntimeFailed => "runtime_failed",
        FaultKind.LoadFailed => "load_failed",
        FaultKind.UpstreamUnreachable => "upstream_unreachable",
        FaultKind.UpstreamFailed => "upstream_failed",
        FaultKind.UpstreamThrottled => "upstream_throttled",
        FaultKind.UpstreamTimeout => "upstream_timeout",
        FaultKind.TargetsOpen => "targets_open",
        FaultKind.AnswerUnfit => "answer_unfit",
        FaultKind.Shed => "shed",
        FaultKind.Internal => "internal",
    };

    /// <summary>The label of an outcome: "ok" for none.</summary>
    public static string Of(FaultKind? outcome) => outcome is { } kind ? Of(kind) : Ok;

    /// <summary>Whether a text is a label, and of which outcome (null for "ok").</summary>
    public static bool TryParse(string label, out FaultKind? outcome)
    {
        outcome = null;
        if (label == Ok)
            return true;
        foreach (var kind in Kinds)
        {
            if (Of(kind) == label)
            {
                outcome = kind;
                return true;
            }
        }

        return false;
    }
}

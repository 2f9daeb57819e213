namespace Spillway.Telemetry.Otlp;

/// <summary>
/// Which requests become spans. Decided when a request has ended, so that what went wrong or took long is kept
/// whatever the ratio. Pure.
/// </summary>
/// <param name="Ratio">Share of traces kept, 0 to 1, where nobody else decided.</param>
/// <param name="ParentBased">A caller's own decision holds for what it called.</param>
/// <param name="Slow">Requests that took at least this long are always kept; zero for no such rule.</param>
internal sealed record SpanSampler(double Ratio, bool ParentBased, TimeSpan Slow)
{
    /// <summary>Whether the request is kept.</summary>
    public bool Wants(in RequestRecord record)
    {
        if (record.Outcome is { } fault && IsFailure(fault))
            return true;
        if (Slow > TimeSpan.Zero && record.Stages.Total >= Slow)
            return true;
        return ParentBased && record.Link.HasParent ? record.Link.Sampled : InRatio(record.TraceId);
    }

    /// <summary>
    /// Faults of the server's making, which are rare and always worth a trace. Refusals are not among them: a flood of
    /// them is what the server is for, and would fill the queue.
    /// </summary>
    public static bool IsFailure(FaultKind kind) => kind switch
    {
        FaultKind.DeadlineExceeded or FaultKind.RuntimeFailed or FaultKind.LoadFailed or FaultKind.StoreFailed
            or FaultKind.UpstreamUnreachable or FaultKind.UpstreamFailed or FaultKind.UpstreamTimeout
            or FaultKind.AnswerUnfit or FaultKind.Internal => true,
        FaultKind.InvalidInput or FaultKind.InputTooLarge or FaultKind.InputIncomplete or FaultKind.UnknownPath
            or FaultKind.WrongMethod or FaultKind.UnknownModel or FaultKind.UnknownRequest or FaultKind.Forbidden
            or FaultKind.Unsupported or FaultKind.ModelNotReady or FaultKind.QueueFull or FaultKind.ServerFull
            or FaultKind.PredictedLate or FaultKind.DroppedLate or FaultKind.Cancelled
            or FaultKind.ShuttingDown or FaultKind.Unauthenticated or FaultKind.SwitchedOff or FaultKind.RateLimited
            or FaultKind.BudgetExhausted or FaultKind.UpstreamThrottled or FaultKind.TargetsOpen
            or FaultKind.Shed => false,
    };

    /// <summary>
    /// By the last 63 bits of the trace id, as the OpenTelemetry SDKs of Go and Java do, so that services of one ratio
    /// keep the same traces.
    /// </summary>
    private bool InRatio(TraceId trace) => Ratio >= 1 || (trace.Low >> 1) < Ratio * (1UL << 63);
}

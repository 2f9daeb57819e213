using System.Globalization;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// What every fault looks like on the wire. Complete tables: a new kind of fault does not compile without its rows.
/// </summary>
internal static class FaultMapping
{
    /// <summary>The HTTP status.</summary>
    public static int Status(FaultKind kind) => kind switch
    {
        FaultKind.InvalidInput => 400,
        FaultKind.Unauthenticated => 401,
        FaultKind.Forbidden => 403,
        FaultKind.UnknownPath or FaultKind.UnknownModel or FaultKind.UnknownRequest => 404,
        FaultKind.WrongMethod => 405,
        FaultKind.InputIncomplete => 408,
        FaultKind.InputTooLarge => 413,
        FaultKind.RateLimited or FaultKind.BudgetExhausted => 429,
        // No standard status says that the caller left; 499 is nginx's, and only logs and metrics see it.
        FaultKind.Cancelled => 499,
        FaultKind.RuntimeFailed or FaultKind.LoadFailed or FaultKind.Internal => 500,
        FaultKind.Unsupported => 501,
        FaultKind.ModelNotReady or FaultKind.QueueFull or FaultKind.ServerFull or FaultKind.PredictedLate
            or FaultKind.DroppedLate or FaultKind.DeadlineExceeded or FaultKind.ShuttingDown
            or FaultKind.SwitchedOff or FaultKind.StoreFailed or FaultKind.UpstreamThrottled
            or FaultKind.TargetsOpen or FaultKind.Shed => 503,
        FaultKind.UpstreamUnreachable or FaultKind.UpstreamFailed or FaultKind.AnswerUnfit => 502,
        FaultKind.UpstreamTimeout => 504,
    };

    /// <summary>
    /// True when the answer carries Retry-After and retry-after-ms: every 503, because it passes, and a limit of the
    /// caller's own. Without a time in the fault the shortest is sent.
    /// </summary>
    public static bool IsRetryAfterDue(FaultKind kind) => Status(kind) == 503 || kind is FaultKind.RateLimited;

    /// <summary>
    /// True when the answer tells clients not to try again by themselves (x-should-retry: false): money does not come
    /// back within the seconds that they would wait.
    /// </summary>
    public static bool IsRetryInVain(FaultKind kind) => kind is FaultKind.BudgetExhausted;

    /// <summary>
    /// True when the connection ends with the answer: what is left of a body that was not read would be read as the
    /// next
    /// request.
    /// </summary>
    public static bool EndsConnection(FaultKind kind) =>
        kind is FaultKind.InputTooLarge or FaultKind.InputIncomplete or FaultKind.ServerFull;

    /// <summary>The value of Retry-After: whole seconds, rounded up, at least 1.</summary>
    public static string RetryAfterSeconds(TimeSpan? after) => RoundUp(after, TimeSpan.TicksPerSecond);

    /// <summary>The value of retry-after-ms: whole milliseconds, rounded up, at least 1.</summary>
    public static string RetryAfterMs(TimeSpan? after) => RoundUp(after, TimeSpan.TicksPerMillisecond);

    private static string RoundUp(TimeSpan? after, long unit)
    {
        var (whole, rest) = Math.DivRem(Math.Max(after?.Ticks ?? 0, 0), unit);
        return Math.Max(1, whole + (rest > 0 ? 1 : 0)).ToString(CultureInfo.InvariantCulture);
    }
}

using Spillway.Client;

namespace Spillway.Engine.Upstreams;

/// <summary>A target's refusal as a fault of this server.</summary>
internal static class TargetFaults
{
    /// <summary>On an answer of another Spillway that is not what its route promises first.</summary>
    public const string DegradedName = "X-Spillway-Degraded";

    /// <summary>The longest Retry-After that means anything.</summary>
    private static readonly TimeSpan s_retryAfterMax = TimeSpan.FromDays(1);

    /// <summary>Whether a refusal says that another attempt is in vain.</summary>
    public static bool IsFinal(HttpResponseMessage response) =>
        response.Headers.TryGetValues("x-should-retry", out var said) && said.First() == "false";

    /// <summary>The fault of an answer that is none.</summary>
    /// <param name="target">For the message.</param>
    /// <param name="response">Its status is no success.</param>
    /// <param name="body">Its body, as far as it was read.</param>
    public static Fault Of(string target, HttpResponseMessage response, ReadOnlySpan<byte> body)
    {
        var (status, said) = ((int)response.StatusCode, WireFault.Read(response, body));
        var retryAfter = said.RetryAfter is { } after && after >= TimeSpan.Zero && after < s_retryAfterMax
            ? after : (TimeSpan?)null;
        // Another Spillway refuses a request for what the request is, and would take the next one.
        if (response.Headers.Contains(WireFault.FaultName) && said.Kind is FaultKind.PredictedLate
            or FaultKind.DroppedLate or FaultKind.DeadlineExceeded or FaultKind.Shed or FaultKind.SwitchedOff
            or FaultKind.BudgetExhausted)
            return new(said.Kind, $"The upstream {target}: {said.Message}", retryAfter);
        return status switch
        {
            // The request's own fault: another target would say the same, and the caller can mend it.
            400 or 413 or 422 => new(status == 413 ? FaultKind.InputTooLarge : FaultKind.InvalidInput, said.Message),
            429 or 503 => new(
                FaultKind.UpstreamThrottled, $"The upstream {target} has enough to do ({status}): {said.Message}",
                retryAfter),
            408 or 504 => new(
                FaultKind.UpstreamTimeout,
                $"The upstream {target} was too slow by its own account ({status}): {said.Message}"),
            >= 300 and < 400 => new(
                FaultKind.UpstreamFailed,
                $"The upstream {target} redirects ({status}), which is not followed. Give its real address."),
            _ => new(FaultKind.UpstreamFailed, $"The upstream {target} answered {status}: {said.Message}"),
        };
    }
}

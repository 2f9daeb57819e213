using System.Globalization;

namespace Spillway.Flow;

/// <summary>
/// The faults of the flow in words: what happened, the value, the limit, what to do. The phrases "Exceeds maximum
/// queue size" and "Request timeout expired" are the ones that Triton's clients look for.
/// </summary>
internal static class Refusals
{
    /// <summary>The server drains.</summary>
    public static Fault Stopping() => new(
        FaultKind.ShuttingDown,
        "The server is stopping and takes no new requests. Send it to another one, or retry when it is back.",
        TimeSpan.FromSeconds(1));

    /// <summary>The model is being loaded.</summary>
    public static Fault Loading(Route route) => new(
        FaultKind.ModelNotReady,
        $"Model {route.Model.Name} version {route.Model.Version} is not ready: it is still loading. "
        + "Retry in a second.",
        TimeSpan.FromSeconds(1));

    /// <summary>The model's load failed.</summary>
    public static Fault Failed(Route route) => new(
        FaultKind.ModelNotReady, $"Model {route.Model.Name} version {route.Model.Version} is not ready: failed to load '{route.Deployment}', {route.Why}");

    /// <summary>The model is in the repository and nobody asked to load it.</summary>
    public static Fault Unloaded(Route route) => new(
        FaultKind.UnknownModel,
        $"Request for unknown model: '{route.Model.Name}' version {route.Model.Version} is not loaded. Load it (POST "
        + $"/v2/repository/models/{route.Model.Name}/load), or name it in repository.load.");

    /// <summary>The model takes nothing more, and nothing has come after it.</summary>
    public static Fault Closed(Route route) => new(
        FaultKind.ModelNotReady,
        $"Model {route.Model.Name} version {route.Model.Version} is not ready: it is being unloaded. Retry in a "
        + "second.",
        TimeSpan.FromSeconds(1));

    /// <summary>The model was wanted and did not come in time.</summary>
    public static Fault LoadingTooLong(Route route, TimeSpan waited) => new(
        FaultKind.ModelNotReady,
        $"Model {route.Model.Name} version {route.Model.Version} is not ready: it is being loaded since it was "
        + $"asked for, and was not there "
        + $"within {Ms(waited)} ms. Retry in a second, or allow more time (parameter timeout).",
        TimeSpan.FromSeconds(1));

    /// <summary>The model was wanted, and is known no more.</summary>
    public static Fault Removed(Route route) => new(
        FaultKind.ModelNotReady,
        $"Model {route.Model.Name} version {route.Model.Version} is not ready: it was removed or replaced at this "
        + "moment. Retry in a second.",
        TimeSpan.FromSeconds(1));

    /// <summary>Another model with other inputs took its place while the request was on its way.</summary>
    public static Fault Replaced(Route route) => new(
        FaultKind.ModelNotReady,
        $"Model {route.Model.Name} version {route.Model.Version} was replaced by one with other inputs at this "
        + $"moment. Read its metadata "
        + "again and send the request anew.",
        TimeSpan.FromMilliseconds(1));

    /// <summary>What a deployment refused or dropped.</summary>
    public static Fault Explain(Route route, FaultKind kind, in Placement p)
    {
        var name = route.Model.Name;
        var retry = p.RetryAfter > TimeSpan.Zero ? p.RetryAfter : p.Service + p.Wait;
        var text = kind switch
        {
            FaultKind.QueueFull when p.TenantPlaces > 0 =>
                $"Exceeds maximum queue size: this tenant's part of the queue of model {name}, {p.TenantPlaces} of "
                + $"{route.QueueLengthMax} places while others want theirs, is full. Retry after {Ms(retry)} ms, or "
                + "raise its weight (limits.weights).",
            FaultKind.QueueFull =>
                $"Exceeds maximum queue size: the queue of model {name} holds {p.QueueLength} of {route.QueueLengthMax} requests. "
                + $"Retry after {Ms(retry)} ms, or raise batching.queueLengthMax of {route.Deployment}.",
            FaultKind.PredictedLate =>
                $"Model {name} cannot answer in time: predicted wait {Ms(p.Wait)} ms and run {Ms(p.Service)} ms do not fit the deadline. "
                + $"Retry after {Ms(retry)} ms, or allow more time (parameter timeout).",
            FaultKind.DroppedLate =>
                $"Request timeout expired: model {name} was too busy to begin this request early enough to meet its deadline. "
                + $"Retry after {Ms(retry)} ms, or allow more time (parameter timeout).",
            FaultKind.DeadlineExceeded =>
                $"Request timeout expired: the deadline passed before model {name} answered. "
                + $"Retry after {Ms(retry)} ms, or allow more time (parameter timeout).",
            FaultKind.Shed =>
                $"Given up for more critical requests: those to model {name} wait {Ms(p.Queued)} ms, "
                + $"which is overload (shedding.queueMs of {route.Deployment}). Retry after {Ms(retry)} ms, or say in "
                + $"the header {CriticalityWords.HeaderName} that it matters more.",
            FaultKind.InvalidInput or FaultKind.InputTooLarge or FaultKind.InputIncomplete or FaultKind.UnknownPath
                or FaultKind.WrongMethod or FaultKind.UnknownModel or FaultKind.UnknownRequest or FaultKind.Forbidden
                or FaultKind.Unsupported or FaultKind.ModelNotReady or FaultKind.ServerFull or FaultKind.Cancelled
                or FaultKind.ShuttingDown or FaultKind.Unauthenticated or FaultKind.SwitchedOff
                or FaultKind.RateLimited or FaultKind.BudgetExhausted or FaultKind.StoreFailed
                or FaultKind.RuntimeFailed or FaultKind.LoadFailed or FaultKind.UpstreamUnreachable
                or FaultKind.UpstreamFailed or FaultKind.UpstreamThrottled or FaultKind.UpstreamTimeout
                or FaultKind.TargetsOpen or FaultKind.AnswerUnfit or FaultKind.Internal =>
                $"Model {name} gave the request up ({kind}). Retry after {Ms(retry)} ms.",
        };
        return new(kind, text, retry > TimeSpan.Zero ? retry : TimeSpan.FromMilliseconds(1));
    }

    private static string Ms(TimeSpan time) => time.TotalMilliseconds.ToString("0.###", CultureInfo.InvariantCulture);
}

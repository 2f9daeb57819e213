namespace Spillway;

/// <summary>
/// An expected failure, as a value. The message says what happened, the value, the limit, and what to do; it holds
/// no input data and no secret.
/// </summary>
/// <param name="Kind">Which of the closed list.</param>
/// <param name="Message">For a person: what happened and what to do.</param>
/// <param name="RetryAfter">When another attempt may succeed; null where waiting does not help.</param>
public sealed record Fault(FaultKind Kind, string Message, TimeSpan? RetryAfter = null)
{
    /// <summary>A request that does not say what it must.</summary>
    public static Fault Invalid(string message) => new(FaultKind.InvalidInput, message);
}

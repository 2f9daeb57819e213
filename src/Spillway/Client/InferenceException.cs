namespace Spillway.Client;

/// <summary>A call was refused or failed, in the server's own words.</summary>
/// <param name="fault">Why.</param>
/// <param name="cause">What was beneath it, where something was.</param>
public sealed class InferenceException(Fault fault, Exception? cause = null) : Exception(fault.Message, cause)
{
    /// <summary>What an HTTP answer that is no success says, in any protocol of this server.</summary>
    /// <param name="response">Its status and its headers.</param>
    /// <param name="body">Its body.</param>
    public static InferenceException Of(HttpResponseMessage response, ReadOnlySpan<byte> body) =>
        new(WireFault.Read(response, body));

    /// <summary>Why, as a value.</summary>
    public Fault Fault => fault;

    /// <summary>Which of the closed list of failures; <see cref="FaultKind.QueueFull"/> and its like pass.</summary>
    public FaultKind Kind => fault.Kind;

    /// <summary>When another attempt may succeed; null where waiting does not help.</summary>
    public TimeSpan? RetryAfter => fault.RetryAfter;
}

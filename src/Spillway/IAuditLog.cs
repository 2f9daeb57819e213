namespace Spillway;

/// <summary>
/// Where administration is written down for good: everything that changes the server, with who did it. Thread-safe;
/// never waits for a disk.
/// </summary>
public interface IAuditLog
{
    /// <summary>The log of a server that keeps none: nothing is written, nothing is refused.</summary>
    static IAuditLog None { get; } = new NoAuditLog();

    /// <summary>
    /// Why nothing that must be written down may happen now: the log cannot be written, and refusing was declared
    /// (audit.onFailure). Null while all is well. Ask before a change is made.
    /// </summary>
    Fault? Refusal { get; }

    /// <summary>Writes down a change that was tried.</summary>
    /// <param name="who">Who asked for it.</param>
    /// <param name="action">What, as a dotted word: "model.load", "switch.off", "key.create".</param>
    /// <param name="subject">To what: a model, a tenant, a key's public part. No secret.</param>
    /// <param name="fault">Why it was not done; null when it was.</param>
    /// <param name="detail">More of it, up to some hundred characters. No secret, no input.</param>
    void Administration(Caller who, string action, string subject, FaultKind? fault = null, string detail = "");

    /// <summary>
    /// Writes down that somebody was turned away before a request began: no key, a wrong one, no right. A hundred a
    /// second are listed and the rest counted, so that a flood of wrong keys does not become a flood of records.
    /// </summary>
    /// <param name="who">Who, where that is known.</param>
    /// <param name="why">The fault that was answered.</param>
    /// <param name="what">What was asked: a method and a path, a key's public part. No secret, no input.</param>
    void Denied(Caller? who, FaultKind why, string what);

    private sealed class NoAuditLog : IAuditLog
    {
        public Fault? Refusal => null;

        public void Administration(Caller who, string action, string subject, FaultKind? fault, string detail)
        {
        }

        public void Denied(Caller? who, FaultKind why, string what)
        {
        }
    }
}

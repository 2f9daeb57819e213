namespace Spillway.Store.Audit;

/// <summary>What a record of the log is about. The numbers are part of the format.</summary>
public enum AuditKind : byte
{
    /// <summary>A request that was answered, or that failed while it ran.</summary>
    Access = 1,

    /// <summary>A request that was refused, with the decision and its reason.</summary>
    Refusal = 2,

    /// <summary>Somebody changed, or tried to change, the server.</summary>
    Administration = 3,

    /// <summary>The log and its server: started, stopped, recovered, lost, payloads deleted.</summary>
    Server = 4,

    /// <summary>The inputs of a request, encrypted elsewhere: their hash and their place.</summary>
    Payload = 5,
}

/// <summary>
/// What becomes a record, on its way through the queue: a plain value, texts by reference. Empty texts and zeros are
/// not written.
/// </summary>
internal struct AuditEntry
{
    /// <summary>What it is about.</summary>
    public AuditKind Kind;

    /// <summary>Wall time in microseconds since 1970.</summary>
    public long Time;

    /// <summary>Who; null for the server itself.</summary>
    public Caller? Caller;

    /// <summary>The request's id.</summary>
    public string? RequestId;

    /// <summary>Served name.</summary>
    public string? Model;

    /// <summary>Its version.</summary>
    public string? Version;

    /// <summary>What runs it.</summary>
    public string? Deployment;

    /// <summary>SHA-256 of the model, in hexadecimal.</summary>
    public string? ModelDigest;

    /// <summary>SHA-256 of the configuration in force.</summary>
    public string? ConfigDigest;

    /// <summary>SHA-256 of the price file in force.</summary>
    public string? PriceDigest;

    /// <summary>"ok", or the fault.</summary>
    public string? Outcome;

    /// <summary>The decision that ended it.</summary>
    public string? Decision;

    /// <summary>The reason, or the detail of a change.</summary>
    public string? Reason;

    /// <summary>What was changed: "model.load".</summary>
    public string? Action;

    /// <summary>To what.</summary>
    public string? Subject;

    /// <summary>Status on the wire.</summary>
    public int Status;

    /// <summary>Rows of the request.</summary>
    public long Rows;

    /// <summary>Bytes received.</summary>
    public long BytesIn;

    /// <summary>Bytes sent.</summary>
    public long BytesOut;

    /// <summary>Its cost in nano-units.</summary>
    public long CostNano;

    /// <summary>How long it took, in microseconds.</summary>
    public long DurationMicros;

    /// <summary>How many, of a record that counts.</summary>
    public long Count;

    /// <summary>A rented copy of the inputs to encrypt; null for none.</summary>
    public byte[]? Payload;

    /// <summary>Bytes of it.</summary>
    public int PayloadLength;
}

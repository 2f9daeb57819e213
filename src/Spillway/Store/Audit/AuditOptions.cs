namespace Spillway.Store.Audit;

/// <summary>What happens when the audit log cannot be written.</summary>
public enum AuditFailure
{
    /// <summary>Requests and changes are refused with 503 until it can be written again.</summary>
    Refuse,

    /// <summary>The server goes on; what is not written down is counted, and the log says how much it was.</summary>
    Serve,
}

/// <summary>The section audit: of spillway.yaml. Its presence switches the audit log on.</summary>
public sealed record AuditOptions
{
    /// <summary>When the log cannot be written.</summary>
    [Option("What happens when the log cannot be written (disk full, rights lost, disk too slow): refuse answers 503 "
        + "until it can be, serve goes on, counts what is missing and writes the count into the log.",
        Source = "who switches an audit log on wants it complete")]
    public AuditFailure OnFailure { get; init; } = AuditFailure.Refuse;

    /// <summary>Records between requests and writer.</summary>
    [Option("Records that may wait for the writer, in memory; about 300 bytes each, taken at start. With onFailure: "
        + "refuse, requests are refused from three quarters on.",
        Unit = "records", Min = 1024, Max = 4_194_304, Source = "three seconds of 20,000 requests a second")]
    public int QueueLengthMax { get; init; } = 65_536;

    /// <summary>Time between two signed heads.</summary>
    [Option("How often what was written is forced to the disk and signed. A loss of power may take that much of the "
        + "log, a kill of the process only what still waited in memory (50 ms).",
        Unit = "ms", Min = 10, Max = 3_600_000, Source = "one fsync and one signature a second cost nothing")]
    public double HeadMs { get; init; } = 1000;

    /// <summary>Size of a segment.</summary>
    [Option("A segment file of the log is followed by the next one at this size.",
        Unit = "bytes", Min = 65_536, Max = 1_073_741_824, Source = "read in a second")]
    public long SegmentBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>The key that signs heads.</summary>
    [Option("The ECDSA P-256 private key that signs heads: a PEM file relative to this one, or env:NAME for a variable "
        + "that holds the PEM. Empty makes one in the state folder, readable by the owner alone.")]
    public string SigningKey { get; init; } = "";

    /// <summary>The key that hides callers.</summary>
    [Option("The key that turns callers into keyed hashes: a file relative to this one, or env:NAME, with 32 bytes in "
        + "base64. Empty makes one in the state folder. Another key makes other hashes of the same callers.")]
    public string CallerKey { get; init; } = "";

    /// <summary>Where heads are written too.</summary>
    [Option("A file, relative to this one, to which every signed head is written too: on another machine's disk or "
        + "anywhere that whoever owns the log cannot rewrite. Empty writes none.")]
    public string Publish { get; init; } = "";

    /// <summary>How long encrypted inputs are kept.</summary>
    [Option("How long the encrypted inputs of models with audit.payloads are kept. The log stays verifiable without "
        + "them.", Unit = "days", Min = 1, Max = 36_500, Source = "long enough to answer a complaint")]
    public int PayloadDays { get; init; } = 30;

    /// <summary>Input bytes between requests and writer.</summary>
    [Option("Copies of inputs that may wait for the writer, in memory.",
        Unit = "bytes", Min = 65_536, Max = 17_179_869_184, Source = "one largest body")]
    public long PayloadBytesInFlightMax { get; init; } = 64 * 1024 * 1024;
}

/// <summary>What is written down of one model beyond who asked it.</summary>
public sealed record ModelAuditOptions
{
    /// <summary>Whether its inputs are kept, encrypted.</summary>
    [Option("Whether its inputs are kept, encrypted, for audit.payloadDays. Needs the section audit of spillway.yaml.")]
    public bool Payloads { get; init; }
}

namespace Spillway;

/// <summary>What a caller may do; a set.</summary>
[Flags]
public enum Roles
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Ask models, read their metadata and health.</summary>
    Caller = 1,

    /// <summary>Administer: everything that changes the server, and what it needs to see for that.</summary>
    Operator = 2,

    /// <summary>Read the audit log, the ledger and its proofs; change nothing.</summary>
    Auditor = 4,

    /// <summary>Everything.</summary>
    All = Caller | Operator | Auditor,
}

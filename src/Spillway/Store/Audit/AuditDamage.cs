namespace Spillway.Store.Audit;

/// <summary>What is wrong with a log.</summary>
public enum AuditDamageKind
{
    /// <summary>A record is not what was written.</summary>
    Altered,

    /// <summary>A record is missing between others.</summary>
    Removed,

    /// <summary>A record stands where another one belongs.</summary>
    Reordered,

    /// <summary>The end is missing: a head has signed more than there is.</summary>
    Truncated,

    /// <summary>Records and hashes agree with each other and not with a signed head: written anew.</summary>
    Rewritten,

    /// <summary>The hashes beside the records were changed, the records were not.</summary>
    TreeAltered,

    /// <summary>A head is not signed by a key that is trusted, or cannot be read.</summary>
    HeadForged,

    /// <summary>A head that the server signed is gone, so that nothing proves the records that it covered.</summary>
    HeadMissing,
}

/// <summary>The first thing that is wrong with a log.</summary>
/// <param name="Kind">What.</param>
/// <param name="First">Index of the first bad record.</param>
/// <param name="Last">Index of the last record that may be bad: the first, or the end of a range.</param>
/// <param name="What">A sentence.</param>
public sealed record AuditDamage(AuditDamageKind Kind, long First, long Last, string What);

/// <summary>What a verification found.</summary>
public sealed record AuditReport
{
    /// <summary>The log's id.</summary>
    public required string Log { get; init; }

    /// <summary>Whole records read before the first damage.</summary>
    public required long Records { get; init; }

    /// <summary>Heads that agree with them.</summary>
    public required int Heads { get; init; }

    /// <summary>Records that the last good head covers: so many are proven.</summary>
    public required long Signed { get; init; }

    /// <summary>Root of the tree of all records read, in hexadecimal.</summary>
    public required string Root { get; init; }

    /// <summary>The first thing that is wrong; null for a log that is whole.</summary>
    public AuditDamage? Damage { get; init; }

    /// <summary>What is no damage and worth knowing, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

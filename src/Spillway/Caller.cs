namespace Spillway;

/// <summary>
/// Who asks: resolved once from a key or a token, then shared by all its requests, so that comparing by reference is
/// enough to find what belongs to it. Immutable; a change of its rights makes another one.
/// </summary>
public sealed class Caller
{
    /// <summary>Whoever calls a server without keys: a program on the same machine, which may do everything.</summary>
    public static Caller Local { get; } = new()
    {
        Tenant = "local", Roles = Roles.All, Criticality = Criticality.CriticalPlus,
    };

    /// <summary>Who pays; "local" without keys.</summary>
    public required string Tenant { get; init; }

    /// <summary>The key's public part, or the subject of a token; empty without keys.</summary>
    public string Key { get; init; } = "";

    /// <summary>What it may do.</summary>
    public required Roles Roles { get; init; }

    /// <summary>Served names that it may use; null for all.</summary>
    public IReadOnlySet<string>? Models { get; init; }

    /// <summary>How much of an answer it sees.</summary>
    public AnswerDetail Detail { get; init; } = AnswerDetail.Full;

    /// <summary>The most critical class that its requests may have; critical by default.</summary>
    public Criticality Criticality { get; init; } = Criticality.Critical;

    /// <summary>Whether it may use a served name. Thread-safe.</summary>
    public bool MayUse(string model) => (Roles & Roles.Caller) != 0 && (Models is null || Models.Contains(model));
}

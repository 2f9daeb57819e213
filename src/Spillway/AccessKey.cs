namespace Spillway;

/// <summary>
/// What is known of a key beside its secret, which nobody knows but its holder. Immutable. Times are wall-clock times
/// in UTC.
/// </summary>
public sealed record AccessKey
{
    /// <summary>Its public part: 12 letters and digits, the same over all rotations.</summary>
    public required string Id { get; init; }

    /// <summary>A label inside the key's text, such as "live" or "test": 1 to 16 small letters and digits.</summary>
    public required string Environment { get; init; }

    /// <summary>Who pays.</summary>
    public required string Tenant { get; init; }

    /// <summary>What a person calls it; may be empty.</summary>
    public string Name { get; init; } = "";

    /// <summary>What its holder may do.</summary>
    public required Roles Roles { get; init; }

    /// <summary>Served names that its holder may use; null for all.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    /// <summary>How much of an answer its holder sees.</summary>
    public AnswerDetail Detail { get; init; } = AnswerDetail.Full;

    /// <summary>The most critical class that its holder's requests may have; critical by default.</summary>
    public Criticality Criticality { get; init; } = Criticality.Critical;

    /// <summary>When it was made.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>From when on it is refused; null for never.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Since when it is refused for good; null while it is not.</summary>
    public DateTimeOffset? Revoked { get; init; }

    /// <summary>When its secret was last replaced; null for never.</summary>
    public DateTimeOffset? Rotated { get; init; }

    /// <summary>Until when the secret before the last rotation works too; null when there is none.</summary>
    public DateTimeOffset? PreviousUntil { get; init; }

    /// <summary>When it was last used, to half a minute or so; null for never.</summary>
    public DateTimeOffset? LastUsed { get; init; }
}

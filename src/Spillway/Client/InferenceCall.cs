namespace Spillway.Client;

/// <summary>One question to a model.</summary>
public sealed record InferenceCall
{
    /// <summary>The served name.</summary>
    public required string Model { get; init; }

    /// <summary>A positive integer as text; empty (the default) takes the newest that answers.</summary>
    public string Version { get; init; } = "";

    /// <summary>Every input of the model, in any order.</summary>
    public required IReadOnlyList<InferenceInput> Inputs { get; init; }

    /// <summary>Names of the outputs that are wanted; empty (the default) for all.</summary>
    public IReadOnlyList<string> Outputs { get; init; } = [];

    /// <summary>
    /// How long the caller will wait, from the call on; the server refuses early what cannot be answered within. Null
    /// (the default) takes the model's own deadline, which follows its learned times. More than zero.
    /// </summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>
    /// The most that it may cost; the server refuses it when it could cost more. Null (the default) for no limit of its
    /// own. Not below zero.
    /// </summary>
    public Money? CostMax { get; init; }

    /// <summary>
    /// How much it matters that it is answered when the server has too much to do: the lowest class is given up first.
    /// Critical by default; what a key may claim at most is the key's.
    /// </summary>
    public Criticality Criticality { get; init; } = Criticality.Critical;

    /// <summary>1 is the most urgent; 0 (the default) takes the model's default.</summary>
    public int Priority { get; init; }

    /// <summary>
    /// The sequence that the call belongs to, for models that keep a state from one call to the next; null (the
    /// default) for none. Calls of one sequence go one after the other.
    /// </summary>
    public SequenceMark? Sequence { get; init; }

    /// <summary>The caller's own id, at most 1024 bytes in UTF-8; it comes back with the answer.</summary>
    public string Id { get; init; } = "";

    /// <summary>Throws when the caller's program is wrong, which no server need be asked about.</summary>
    internal void Check()
    {
        ArgumentException.ThrowIfNullOrEmpty(Model);
        ArgumentNullException.ThrowIfNull(Inputs);
        ArgumentNullException.ThrowIfNull(Outputs);
        ArgumentOutOfRangeException.ThrowIfNegative(Priority);
        if (CostMax is { } most)
            ArgumentOutOfRangeException.ThrowIfNegative(most.Nano, nameof(CostMax));
        if (Deadline is { } deadline)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(deadline, TimeSpan.Zero, nameof(Deadline));
        if (Version.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            throw new ArgumentException(
                $"The version '{Version}' is no whole number; leave it empty for the newest.", nameof(Version));
        }
    }
}

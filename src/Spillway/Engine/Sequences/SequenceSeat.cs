namespace Spillway.Engine.Sequences;

/// <summary>
/// Where a request stands in its sequence. Guarded by the keeper's lock; <see cref="Next"/> also read and written by
/// the one run that the request is in.
/// </summary>
internal struct SequenceSeat
{
    /// <summary>Its number in the policy, or -1.</summary>
    public int Slot;

    /// <summary>The sequence's state number.</summary>
    public int State;

    /// <summary>Its turn has come.</summary>
    public bool Turn;

    /// <summary>It has ended, however.</summary>
    public bool Over;

    /// <summary>When it came to the sequence, and when its turn came.</summary>
    public Instant Came;

    /// <summary>When its turn came.</summary>
    public Instant TurnAt;

    /// <summary>Refused by the rules of sequences.</summary>
    public bool Refused;

    /// <summary>Receives the next state; from its turn until it is over.</summary>
    public byte[]? Next;

    /// <summary>In no sequence.</summary>
    public static SequenceSeat None => new() { Slot = -1, State = -1 };
}

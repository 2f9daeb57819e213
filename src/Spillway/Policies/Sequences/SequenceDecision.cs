namespace Spillway.Policies.Sequences;

/// <summary>What becomes of an arriving request of a sequence.</summary>
public enum SequenceStep
{
    /// <summary>It may run now: nothing of its sequence is under way.</summary>
    Run,

    /// <summary>It waits for the ones before it.</summary>
    Wait,

    /// <summary>Refused: it names no sequence.</summary>
    RefusedNoId,

    /// <summary>Refused: no such sequence lives, and it is no start.</summary>
    RefusedUnknown,

    /// <summary>Refused: its sequence was idle for too long and is forgotten.</summary>
    RefusedExpired,

    /// <summary>Refused: a start, and a sequence of that id has not ended.</summary>
    RefusedConflict,

    /// <summary>Refused: as many sequences live as may.</summary>
    RefusedSequences,

    /// <summary>Refused: as many requests of this sequence wait as may.</summary>
    RefusedWaiting,
}

/// <summary>The next request of a sequence to run, after one ended.</summary>
/// <param name="Slot">The request; -1 when none waits.</param>
/// <param name="Fresh">True when it is a start: it runs on a new state, not on what the one before left.</param>
/// <param name="Ended">True when there is none and never will be: the sequence is over, its state can go.</param>
public readonly record struct SequenceNext(int Slot, bool Fresh, bool Ended = false)
{
    /// <summary>Nobody waits.</summary>
    public static SequenceNext None => new(-1, Fresh: false);

    /// <summary>Nobody waits, and the sequence is over.</summary>
    public static SequenceNext Over => new(-1, Fresh: false, Ended: true);
}

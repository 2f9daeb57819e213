namespace Spillway.Policies.Sequences;

/// <summary>How sequences of requests to a model with state are kept.</summary>
public sealed record SequenceOptions
{
    /// <summary>A sequence with nothing under way for this long is forgotten.</summary>
    [Option("A sequence of which nothing runs or waits for this long is forgotten, with its state.",
        Unit = "ms", Min = 1, Max = 86_400_000, Source = "Triton's max_sequence_idle_microseconds, one second")]
    public double IdleMs { get; init; } = 1000;

    /// <summary>Sequences that may live at once.</summary>
    [Option("Sequences that may live at once, each with its state; one more is refused with 503.",
        Unit = "sequences", Min = 1, Max = 65_536, Source = "the connections that a server takes by default")]
    public int SequencesMax { get; init; } = 512;

    /// <summary>Requests of one sequence that may wait behind the one that runs.</summary>
    [Option("Requests of one sequence that may wait behind the one that runs; one more is refused with 503.",
        Unit = "requests", Min = 0, Max = 1024, Source = "a client streams a few pieces ahead at most")]
    public int WaitingMax { get; init; } = 16;

    /// <summary>What a start does to a sequence of the same id that lives.</summary>
    [Option("Whether a start for an id whose sequence has not ended makes it anew, as Triton does; else it is "
        + "refused.")]
    public bool Restart { get; init; }
}

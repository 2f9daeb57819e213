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

    /// <summary>Bound of all states together.</summary>
    [Option("Memory for the states of all sequences that may live: sequencesMax times the bytes of one state. A model "
        + "that could need more is not served.",
        Unit = "MiB", Min = 1, Max = 1_048_576, Source = "512 sequences of 512 KiB")]
    public int MemoryMaxMb { get; init; } = 256;

    /// <summary>The model's inputs and outputs that are state.</summary>
    [Option("Inputs that the server feeds from what the request before gave as an output. Clients see neither. Each "
        + "begins as zeros.", Required = true)]
    public IReadOnlyList<SequenceStateOptions> State { get; init; } = [];

    /// <summary>Inputs that tell the model where in a sequence it is.</summary>
    [Option("Inputs that the server makes for models that reset their state themselves.")]
    public SequenceControlOptions Controls { get; init; } = new();
}

/// <summary>One state of a model: an output that comes back as an input.</summary>
public sealed record SequenceStateOptions
{
    /// <summary>The input that takes it.</summary>
    [Option("The model's input that takes the state.", Required = true)]
    public string Input { get; init; } = "";

    /// <summary>The output that gives the next.</summary>
    [Option("The model's output that gives the next state.", Required = true)]
    public string Output { get; init; } = "";

    /// <summary>Its shape for one sequence; empty takes the model's.</summary>
    [Option("Shape of the state of one sequence, such as [2, 1, 128]; needed only where the model leaves a dimension "
        + "open beside the rows.", Unit = "elements", Min = 1, Max = 16_777_216)]
    public IReadOnlyList<long> Shape { get; init; } = [];
}

/// <summary>
/// Names of inputs that tell of a request's place in its sequence: one number each. Empty: there is none.
/// </summary>
public sealed record SequenceControlOptions
{
    /// <summary>1 for the first request.</summary>
    [Option("Input that is 1 for the first request of a sequence, else 0.")]
    public string Start { get; init; } = "";

    /// <summary>1 for the last request.</summary>
    [Option("Input that is 1 for the last request of a sequence, else 0.")]
    public string End { get; init; } = "";

    /// <summary>1 for every request.</summary>
    [Option("Input that is 1 for every request: no run has rows without one.")]
    public string Ready { get; init; } = "";

    /// <summary>The sequence's id.</summary>
    [Option("Input of a whole number that is the sequence's id, 0 for a text.")]
    public string Id { get; init; } = "";
}

namespace Spillway.Policies.Chains;

/// <summary>What answers a step.</summary>
public enum ChainStepKind
{
    /// <summary>A model here, an upstream, or another route.</summary>
    Model,

    /// <summary>A cached answer that is past its time.</summary>
    Cached,

    /// <summary>A fixed text.</summary>
    Message,
}

/// <summary>What a route falls back on, in order.</summary>
public sealed record ChainOptions
{
    /// <summary>The steps.</summary>
    [Option("The steps in order: the first one is the full answer, each further one is what is left to give.")]
    public IReadOnlyList<ChainStepOptions> Steps { get; init; } = [];

    /// <summary>How long a step that was left early stays left.</summary>
    [Option("A step that was left for its predicted wait is tried again no sooner than this.", Unit = "ms",
        Min = 0, Max = 600_000, Source = "ten runs of the longest usual models: long enough to see a queue shrink")]
    public double HoldMs { get; init; } = 500;
}

/// <summary>One step of a chain.</summary>
public sealed record ChainStepOptions
{
    /// <summary>What answers.</summary>
    [Option("What answers: a model, a cached answer past its time (cache.staleIfErrorMs says how long), or a fixed "
        + "message.")]
    public ChainStepKind Kind { get; init; }

    /// <summary>Which model, upstream or route.</summary>
    [Option("With kind: model, the served name that answers, its newest version or one of them (line-ocr/2); or an "
        + "upstream; or another route, with its chain and its cache.")]
    public string Model { get; init; } = "";

    /// <summary>Which text.</summary>
    [Option("With kind: message, what every element of the outputs that hold texts is; numbers are 0.")]
    public string Message { get; init; } = "";

    /// <summary>What moves on.</summary>
    [Option("What moves on to the next step: labels of faults (docs/reference/errors.md), or the groups overload, "
        + "failure, timeout, unfit, limits, budget, off.", Source = "overload, failure, timeout and unfit")]
    public IReadOnlyList<string> On { get; init; } = [];

    /// <summary>The predicted wait that moves on before anything failed.</summary>
    [Option("With a longer predicted wait than this the next step is taken at once, before anything fails. "
        + "While critical requests come, half of it holds for sheddable-plus ones and a quarter for sheddable ones.",
        Unit = "ms", Min = 0.001, Max = 3_600_000)]
    public double? WhenPredictedWaitMs { get; init; }

    /// <summary>The predicted wait that comes back.</summary>
    [Option("The step is taken again when its predicted wait is below this.", Unit = "ms", Min = 0, Max = 3_600_000,
        Source = "half of whenPredictedWaitMs, so that it does not flap")]
    public double? LeaveBelowMs { get; init; }

    /// <summary>How long the step may take.</summary>
    [Option("How long the step may take before the next one is taken. 0: all the time that is left.", Unit = "ms",
        Min = 0, Max = 86_400_000)]
    public double TimeoutMs { get; init; }

    /// <summary>How much time must be left.</summary>
    [Option("The step is passed over when less time than this is left.", Unit = "ms", Min = 0, Max = 86_400_000)]
    public double NeedsMs { get; init; }

    /// <summary>What an answer of the step must be like.</summary>
    [Option("With kind: model, what the answer must be like; one that is not is the fault answer_unfit.")]
    public IReadOnlyList<AnswerCheckOptions> Checks { get; init; } = [];
}

namespace Spillway.Planner.Language;

/// <summary>
/// What an engine makes of a device, and what it adds: the constants of the roofline. The defaults are of kernels that
/// were measured one by one, so a plan with them is theoretical; <see cref="ConstantsFit"/> fits them to a record of
/// requests.
/// </summary>
public sealed record EngineConstants
{
    /// <summary>The part of the arithmetic that is reached.</summary>
    [Option("The part of the device's arithmetic that large matrices reach.", Min = 0.01, Max = 1.2,
        Source = "Vidur's profiles of Llama-2-7B: 0.70 on an A100, 0.75 on an H100")]
    public double ComputePart { get; init; } = 0.72;

    /// <summary>The part of the bandwidth that is reached.</summary>
    [Option("The part of the memory's bandwidth that is reached.", Min = 0.01, Max = 1.2,
        Source = "Vidur's profiles: 0.75 on an A100, 0.77 on an H100")]
    public double MemoryPart { get; init; } = 0.75;

    /// <summary>How sharp the knee is.</summary>
    [Option("How sharp the knee between memory and arithmetic is: the exponent of the smooth maximum. Large is sharp.",
        Min = 1, Max = 64, Source = "Vidur's profiles at 64 to 512 tokens: 2.7 on an A100, 1.2 to 1.8 on an H100")]
    public double Knee { get; init; } = 2;

    /// <summary>Attention against large matrices.</summary>
    [Option("The arithmetic that attention reaches, as a part of what large matrices do.", Min = 0.01, Max = 1.5,
        Source = "FlashAttention-2's paper: 0.5 to 0.73 of the peak on an A100")]
    public double AttentionPart { get; init; } = 0.7;

    /// <summary>What each step adds.</summary>
    [Option("What each step adds, whatever is in it: scheduling, launching, sampling, as far as it is not hidden.",
        Unit = "ms", Min = 0, Max = 1000, Source = "vLLM with CUDA graphs: about a millisecond")]
    public double StepMs { get; init; } = 1;

    /// <summary>What each step with a piece of a prompt adds.</summary>
    [Option("What a step adds that has a piece of a prompt in it: it is not replayed from a graph.", Unit = "ms",
        Min = 0, Max = 1000, Source = "a measured run of vLLM 0.19: 3 to 5, of which attention is a part")]
    public double PromptStepMs { get; init; } = 2;

    /// <summary>What each request of a step adds.</summary>
    [Option("What each request of a step adds.", Unit = "us", Min = 0, Max = 10_000,
        Source = "a measured run of vLLM 0.19 with up to 128 requests: about 10")]
    public double SequenceUs { get; init; } = 10;

    /// <summary>How long the launches of a layer take.</summary>
    [Option("How long the launches of a layer's kernels take. They run ahead of the device, so a step is not longer by "
        + "them, but never shorter than all of them.", Unit = "us", Min = 0, Max = 10_000,
        Source = "none with CUDA graphs; Splitwise's profiles of 2023 show 560 on an A100, 370 on an H100")]
    public double LayerUs { get; init; }

    /// <summary>What each exchange between devices waits.</summary>
    [Option("What each exchange between the devices of a layer waits, beside its bytes; two for each "
        + "layer.", Unit = "us",
        Min = 0, Max = 10_000, Source = "Vidur's all-reduce of 1 MB on an H100 is 40; small ones in the engine are "
            + "less")]
    public double ExchangeUs { get; init; } = 20;

    /// <summary>The part of the link that is reached.</summary>
    [Option("The part of the link's bandwidth that exchanges reach.", Min = 0.01, Max = 1,
        Source = "Vidur's all-reduce of 16.8 MB on an H100: 0.7 to 0.8")]
    public double LinkPart { get; init; } = 0.75;

    /// <summary>Whether they are measured, calibrated or theoretical.</summary>
    [Option("How these constants came to be, for the labels in reports.", OneOf = "theoretical|calibrated|measured",
        Source = "theoretical, until a fit says otherwise")]
    public string Label { get; init; } = "theoretical";
}

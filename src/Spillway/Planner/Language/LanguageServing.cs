namespace Spillway.Planner.Language;

/// <summary>How an engine serves a language model: parallelism, precision and the limits of its scheduler.</summary>
public sealed record LanguageServing
{
    /// <summary>Devices that share each layer.</summary>
    [Option("Devices that share each layer.", Unit = "devices", Min = 1, Max = 64, Source = "vLLM")]
    public int TensorParallel { get; init; } = 1;

    /// <summary>Groups of devices that have the layers one after another.</summary>
    [Option("Groups of devices that hold the layers one after another.", Unit = "stages", Min = 1, Max = 64,
        Source = "vLLM")]
    public int PipelineParallel { get; init; } = 1;

    /// <summary>The bits of a weight.</summary>
    [Option("Bits of a weight.", Unit = "bits", Min = 1, Max = 32, Source = "bf16, as models are published")]
    public double WeightBits { get; init; } = 16;

    /// <summary>The bits of the arithmetic.</summary>
    [Option("Bits of the arithmetic: 8 only where activations are quantised as well.", Unit = "bits", Min = 8, Max = 32,
        Source = "weight-only quantisation computes in 16 bits")]
    public double ComputeBits { get; init; } = 16;

    /// <summary>The bits of keys and values.</summary>
    [Option("Bits of a number in the cache of keys and values.", Unit = "bits", Min = 4, Max = 32,
        Source = "vLLM: as the model")]
    public double KvBits { get; init; } = 16;

    /// <summary>Requests at once.</summary>
    [Option("Requests that run at once, at most: max_num_seqs.", Unit = "requests", Min = 1, Max = 100_000,
        Source = "vLLM: 256, or 1024 on devices with 70 GiB and more")]
    public int SequencesMax { get; init; } = 256;

    /// <summary>Tokens of a step.</summary>
    [Option("Tokens of one step, at most: max_num_batched_tokens.", Unit = "tokens", Min = 1, Max = 10_000_000,
        Source = "vLLM's server: 2048, or 8192 on devices with 70 GiB and more")]
    public int BatchedTokensMax { get; init; } = 2048;

    /// <summary>Whether prompts are cut in pieces.</summary>
    [Option("Whether prompts are cut in pieces that share steps with generation.", Source = "vLLM since V1: always")]
    public bool ChunkedPrefill { get; init; } = true;

    /// <summary>Steps that are scheduled before the one before them has ended.</summary>
    [Option("Steps that are scheduled before the one before them has ended: it hides the scheduler's time, and a "
        + "request that arrives waits one step more. 0 or 1.", Unit = "steps", Min = 0, Max = 1,
        Source = "vLLM since early 2026: asynchronous scheduling by default")]
    public int ScheduleAhead { get; init; } = 1;

    /// <summary>How much of the memory is used.</summary>
    [Option("The part of each device's memory that is used: gpu_memory_utilization.", Min = 0.1, Max = 1,
        Source = "vLLM")]
    public double MemoryPart { get; init; } = 0.9;

    /// <summary>What is neither weights nor cache.</summary>
    [Option("Memory of each device for activations, graphs and libraries.", Unit = "GiB", Min = 0, Max = 1000,
        Source = "AIConfigurator: 3.5 GB of other memory")]
    public double ReserveGiB { get; init; } = 3.26;

    /// <summary>Tokens of a block.</summary>
    [Option("Tokens of a block of the cache: block_size.", Unit = "tokens", Min = 1, Max = 4096, Source = "vLLM: 16")]
    public int BlockTokens { get; init; } = 16;

    /// <summary>The longest request.</summary>
    [Option("Tokens of the longest request, prompt and answer: max_model_len. 0 for what the cache holds.",
        Unit = "tokens", Min = 0, Max = 100_000_000, Source = "the cache's size")]
    public int ContextMax { get; init; }

    /// <summary>All devices of a replica.</summary>
    public int Devices => TensorParallel * PipelineParallel;
}

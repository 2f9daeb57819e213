namespace Spillway.Runtimes.Onnx;

/// <summary>How ONNX Runtime executes one model: the <c>onnx</c> section of its model.yaml.</summary>
public sealed record OnnxOptions
{
    /// <summary>Path of the native library; empty looks in the usual places.</summary>
    [Option("Path of the ONNX Runtime library. Empty looks at SPILLWAY_ORT_LIB, "
        + "then in the application's own folder, then at the one the build installed from npm.")]
    public string Library { get; init; } = "";

    /// <summary>Execution provider, "cpu" by default.</summary>
    [Option("Execution provider: cpu, cuda, or another that the library was built with. One it lacks is a load error "
        + "that lists those present.")]
    public string Provider { get; init; } = "cpu";

    /// <summary>Threads inside one operator of one run, 1 to 256.</summary>
    [Option("Threads that one run uses inside an operator.", Unit = "threads", Min = 1, Max = 256,
        Source = "measured: one thread a run and one run per core gave the best throughput on every model tried; two cost 1.2 to 2.1 times the CPU")]
    public int IntraOpThreads { get; init; } = 1;

    /// <summary>Operators of one run executed side by side, 1 to 256.</summary>
    [Option("Operators of one run that are executed side by side; above 1 the graph runs in parallel mode.",
        Unit = "threads", Min = 1, Max = 256,
        Source = "ONNX Runtime's default, sequential mode")]
    public int InterOpThreads { get; init; } = 1;

    /// <summary>Whether idle threads of a run spin.</summary>
    [Option("Whether idle threads of a run burn a core while they wait for work. Matters only with more than one "
        + "thread.",
        Source = "measured with two threads under contention: 91 µs CPU a row with spinning, 36 without")]
    public bool Spinning { get; init; }

    /// <summary>How far the graph is optimized at load.</summary>
    [Option("How far the graph is optimized at load.", OneOf = "all|extended|basic|none",
        Source = "measured: without it runs take 1.4 to 1.6 times as long")]
    public string Optimization { get; init; } = "all";

    /// <summary>Whether run memory is kept between runs.</summary>
    [Option("Whether memory of runs is kept in an arena for later runs. Faster; it keeps the size of the largest run.",
        Source = "ONNX Runtime's default")]
    public bool MemoryArena { get; init; } = true;

    /// <summary>Where optimized models are kept: "auto", "off" or a folder.</summary>
    [Option("Where the optimized model is kept for the next start: auto (SPILLWAY_CACHE, else spillway/onnx "
        + "in the user's cache folder), off, or a folder of your own.",
        Source = "measured: half to a third of the load time and a third of the memory")]
    public string Cache { get; init; } = "auto";

    /// <summary>Size above which the least recently used entries of the cache are deleted.</summary>
    [Option("Size of that folder above which its least recently used entries are deleted, whenever one is added.",
        Unit = "bytes", Min = 1_048_576, Max = 1_000_000_000_000_000, Source = "a hundred models of 40 MB")]
    public long CacheBytesMax { get; init; } = 4L * 1024 * 1024 * 1024;
}

using Spillway.Planner.Language;

namespace Spillway.Tests.Planner.Language;

/// <summary>Models and devices of the published measurements.</summary>
internal static class Known
{
    public static LanguageShape Llama31X8B { get; } = new()
    {
        Name = "Llama-3.1-8B", Layers = 32, Hidden = 4096, Heads = 32, KvHeads = 8, Intermediate = 14336,
        Vocabulary = 128256,
    };

    public static LanguageShape Llama2X7B { get; } = new()
    {
        Name = "Llama-2-7B", Layers = 32, Hidden = 4096, Heads = 32, KvHeads = 32, Intermediate = 11008,
        Vocabulary = 32000,
    };

    public static LanguageShape Llama2X70B { get; } = new()
    {
        Name = "Llama-2-70B", Layers = 80, Hidden = 8192, Heads = 64, KvHeads = 8, Intermediate = 28672,
        Vocabulary = 32000,
    };

    public static LanguageShape Experts { get; } = new()
    {
        Name = "Qwen3-30B-A3B", Layers = 48, Hidden = 2048, Heads = 32, KvHeads = 4, HeadDim = 128,
        Intermediate = 768, Vocabulary = 151936, Experts = 128, ExpertsPerToken = 8,
    };

    public static Accelerator RtxPro6000 { get; } = new()
    {
        Name = "RTX PRO 6000", Tflops16 = 467.8, Tflops8 = 935.6, MemoryGBps = 1792, MemoryGiB = 97887 / 1024.0,
        LinkGBps = 64,
    };

    public static Accelerator A100 { get; } = new()
    {
        Name = "A100-80 SXM", Tflops16 = 312, Tflops8 = 624, MemoryGBps = 2039, MemoryGiB = 80, LinkGBps = 300,
    };

    public static Accelerator H100 { get; } = new()
    {
        Name = "H100 SXM", Tflops16 = 989, Tflops8 = 1978, MemoryGBps = 3350, MemoryGiB = 80, LinkGBps = 450,
    };

    /// <summary>A device of which every step takes exactly what the engine adds.</summary>
    public static Accelerator Instant { get; } = new()
    {
        Name = "instant", Tflops16 = 1e12, Tflops8 = 1e12, MemoryGBps = 1e12, MemoryGiB = 80, LinkGBps = 1e9,
    };
}

namespace Spillway.Planner.Language;

/// <summary>
/// A device that runs a language model, as its data sheet says: dense arithmetic, without sparsity. The figures belong
/// to whoever plans; samples/plans/hardware.yaml is a dated beginning.
/// </summary>
public sealed record Accelerator
{
    /// <summary>The name.</summary>
    [Option("How plans call it.", Required = true)]
    public string Name { get; init; } = "";

    /// <summary>Arithmetic in 16 bits.</summary>
    [Option("Dense arithmetic in bf16 or fp16, without sparsity.", Unit = "Tflop/s", Min = 0.01, Max = 1_000_000,
        Required = true)]
    public double Tflops16 { get; init; }

    /// <summary>Arithmetic in 8 bits.</summary>
    [Option("Dense arithmetic in fp8 or int8; as in 16 bits where the device has none.", Unit = "Tflop/s",
        Min = 0.01, Max = 1_000_000, Required = true)]
    public double Tflops8 { get; init; }

    /// <summary>How fast memory is read.</summary>
    [Option("How fast its memory is read.", Unit = "GB/s", Min = 1, Max = 1_000_000, Required = true)]
    public double MemoryGBps { get; init; }

    /// <summary>How much memory it has.</summary>
    [Option("Its memory.", Unit = "GiB", Min = 0.1, Max = 100_000, Required = true)]
    public double MemoryGiB { get; init; }

    /// <summary>How fast it talks to its neighbours.</summary>
    [Option("One way to its neighbours in the same machine, by NVLink or "
        + "PCIe.", Unit = "GB/s", Min = 0.1, Max = 100_000,
        Source = "PCIe 4 x16, which every server has")]
    public double LinkGBps { get; init; } = 32;

    /// <summary>Who says so.</summary>
    [Option("Where the figures come from.", Required = true)]
    public string Source { get; init; } = "";

    /// <summary>Since when.</summary>
    [Option("The day they were looked up, as 2026-11-22.", Required = true)]
    public string AsOf { get; init; } = "";
}

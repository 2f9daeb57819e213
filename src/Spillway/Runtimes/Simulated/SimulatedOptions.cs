namespace Spillway.Runtimes.Simulated;

/// <summary>The declared profile of a simulated model: shapes, times, outputs, faults, price, devices.</summary>
public sealed record SimulatedOptions
{
    /// <summary>Inputs by name: "FP32 [-1,4]".</summary>
    [Option("Inputs by name, each as type and shape: \"FP32 [-1,4]\".", Required = true)]
    public IReadOnlyDictionary<string, string> Inputs { get; init; } = new Dictionary<string, string>();

    /// <summary>Outputs by name; numbers are filled with a pattern of the input, BYTES with a label.</summary>
    [Option("Outputs by name, each as type and shape: \"FP32 [-1,2]\".", Required = true)]
    public IReadOnlyDictionary<string, string> Outputs { get; init; } = new Dictionary<string, string>();

    /// <summary>Milliseconds of a run by rows: { 1: 2.0, 8: 3.5 }; sizes between are interpolated.</summary>
    [Option("Time of a run by its rows: { 1: 2.0, 8: 3.5 }. Sizes between are interpolated, beyond the last extended.",
        Unit = "ms", Required = true)]
    public IReadOnlyDictionary<int, double> LatencyMs { get; init; } = new Dictionary<int, double>();

    /// <summary>Share of runs that fail.</summary>
    [Option("Share of runs that fail with a runtime fault.", Min = 0, Max = 1)]
    public double FaultRate { get; init; }

    /// <summary>Runs of more rows fail.</summary>
    [Option("Runs of more rows than this fail, as a device does that is out of memory. 0: none does.", Unit = "rows",
        Min = 0, Max = 1_000_000)]
    public int FaultAboveRows { get; init; }

    /// <summary>Spread of the time of a run, as a share of it.</summary>
    [Option("Uniform spread of the time of a run, as a share of it: 0.1 is ±10 %.", Min = 0, Max = 1)]
    public double Jitter { get; init; }

    /// <summary>Seed of faults and spread.</summary>
    [Option("Seed of the randomness of faults and spread.")]
    public int Seed { get; init; } = 1;

    /// <summary>Whose devices they are.</summary>
    [Option("Name of the simulated devices: models of one name share them by turns. Empty: the model has its own.")]
    public string Device { get; init; } = "";

    /// <summary>Number of simulated devices.</summary>
    [Option("Number of simulated devices.", Unit = "devices", Min = 1, Max = 64)]
    public int Devices { get; init; } = 1;

    /// <summary>Runs that each device carries at once.</summary>
    [Option("Runs that each device carries at once.", Unit = "runs", Min = 1, Max = 256)]
    public int DeviceParallelism { get; init; } = 1;

    /// <summary>Memory that it says it takes.</summary>
    [Option("Memory that the model is said to take of the device 'simulated', for budgets of memory "
        + "(residency.memoryBytesMax).", Unit = "bytes", Min = 0, Max = 1e15)]
    public long MemoryBytes { get; init; }

    /// <summary>Time that a load takes.</summary>
    [Option("Time that a load of the model takes.", Unit = "ms", Min = 0, Max = 3_600_000)]
    public double LoadMs { get; init; }

    /// <summary>Price of a run in nano-units.</summary>
    [Option("Price of a run.", Unit = "nano-units", Min = 0, Max = 1e15)]
    public long PriceNanoPerRun { get; init; }

    /// <summary>Price of a row in nano-units.</summary>
    [Option("Price of a row.", Unit = "nano-units", Min = 0, Max = 1e15)]
    public long PriceNanoPerRow { get; init; }
}

namespace Spillway.Telemetry;

/// <summary>What a model of an owner has cost since the start, in currency units. Thread-safe, 0 B.</summary>
internal sealed class CostCounters
{
    private const long NanoPerUnit = 1_000_000_000;

    /// <summary>Sum of the bills.</summary>
    public Counter Billed { get; } = new(NanoPerUnit);

    /// <summary>What ran in vain.</summary>
    public Counter Waste { get; } = new(NanoPerUnit);

    /// <summary>Hardware that stood by.</summary>
    public Counter Idle { get; } = new(NanoPerUnit);

    /// <summary>The series of a model and its owner.</summary>
    public IEnumerable<Series> Series(string model, string owner) =>
    [
        new(Instruments.Cost, Billed, [model, owner, "bill"]),
        new(Instruments.Cost, Waste, [model, owner, "waste"]),
        new(Instruments.Cost, Idle, [model, owner, "idle"]),
    ];
}

using Spillway.Policies.Pricing;
using Spillway.Telemetry;

namespace Spillway.Engine.Billing;

/// <summary>What a model of an owner has cost since the start, in currency units. Thread-safe, 0 B.</summary>
internal sealed class CostCounters
{
    /// <summary>Sum of the bills.</summary>
    public Counter Billed { get; } = new(Amounts.NanoPerUnit);

    /// <summary>What ran in vain.</summary>
    public Counter Waste { get; } = new(Amounts.NanoPerUnit);

    /// <summary>Hardware that stood by.</summary>
    public Counter Idle { get; } = new(Amounts.NanoPerUnit);

    /// <summary>The series of a model and its owner.</summary>
    public IEnumerable<Series> Series(string model, string owner) =>
    [
        new(Instruments.Cost, Billed, [model, owner, "bill"]),
        new(Instruments.Cost, Waste, [model, owner, "waste"]),
        new(Instruments.Cost, Idle, [model, owner, "idle"]),
    ];
}

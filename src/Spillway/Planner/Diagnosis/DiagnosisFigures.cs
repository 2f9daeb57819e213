namespace Spillway.Planner.Diagnosis;

/// <summary>
/// What is known of a system that is slow, dear or about to be. Everything may be unknown: NaN, or missing.
/// </summary>
public sealed record DiagnosisFigures
{
    /// <summary>
    /// How busy each resource is, 0 to 1, by name: gpu, cpu, network, disk, bandwidth; memory is how full.
    /// </summary>
    public IReadOnlyList<NamedFigure> Busy { get; init; } = [];

    /// <summary>The parts of a request's time, in milliseconds, in their order.</summary>
    public IReadOnlyList<NamedFigure> Stages { get; init; } = [];

    /// <summary>Parts that would be different after a change: the same names as the stages.</summary>
    public IReadOnlyList<NamedFigure> Then { get; init; } = [];

    /// <summary>The mean time of a request, in milliseconds.</summary>
    public double LatencyMs { get; init; } = double.NaN;

    /// <summary>Requests a second that are answered.</summary>
    public double Throughput { get; init; } = double.NaN;

    /// <summary>Servers, or replicas.</summary>
    public double Servers { get; init; } = double.NaN;

    /// <summary>Requests a second that one of them can answer.</summary>
    public double Capacity { get; init; } = double.NaN;

    /// <summary>Requests in the system at once.</summary>
    public double Concurrency { get; init; } = double.NaN;

    /// <summary>What all servers cost for a month, in any money.</summary>
    public double CostPerMonth { get; init; } = double.NaN;
}

/// <summary>A figure with its name.</summary>
/// <param name="Name">In lower case.</param>
/// <param name="Value">In the unit of its list.</param>
public readonly record struct NamedFigure(string Name, double Value);

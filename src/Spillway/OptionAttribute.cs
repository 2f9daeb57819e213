namespace Spillway;

/// <summary>
/// Describes one option beside its property, for validation, the reference page and the editors' schema. Key is the
/// property's name in camelCase.
/// </summary>
/// <param name="description">One or two sentences: what it does.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OptionAttribute(string description) : Attribute
{
    /// <summary>What it does.</summary>
    public string Description { get; } = description;

    /// <summary>The unit: "ms", "bytes", "requests", "rows" …; empty for names and switches.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Smallest allowed number.</summary>
    public double Min { get; init; } = double.NegativeInfinity;

    /// <summary>Largest allowed number.</summary>
    public double Max { get; init; } = double.PositiveInfinity;

    /// <summary>Where the default comes from: a measurement, a peer, a protocol.</summary>
    public string Source { get; init; } = "";

    /// <summary>The allowed words, separated by "|", for an option that is one of a few names.</summary>
    public string OneOf { get; init; } = "";

    /// <summary>True when it must be given.</summary>
    public bool Required { get; init; }
}

namespace Spillway.Planner.Plans;

/// <summary>How hard the drills are.</summary>
public sealed record DrillOptions
{
    /// <summary>When it begins.</summary>
    [Option("When it begins, as a part of the simulated time.", Min = 0.01, Max = 0.95)]
    public double AtShare { get; init; } = 0.4;

    /// <summary>How long it lasts.</summary>
    [Option("How long it lasts: a spike, a lost region, an upstream that refuses.", Unit = "s", Min = 1, Max = 86_400,
        Source = "a mention on the evening news")]
    public double ForSeconds { get; init; } = 300;

    /// <summary>How high a spike is.</summary>
    [Option("The rate in a spike, as a multiple.", Min = 1, Max = 1000, Source = "the flood this product is named for")]
    public double SpikeFactor { get; init; } = 10;

    /// <summary>How many spot machines are taken back.</summary>
    [Option("The part of the spot machines of a site that is taken back at once.", Min = 0.01, Max = 1,
        Source = "one pool of two")]
    public double SpotShare { get; init; } = 0.5;
}

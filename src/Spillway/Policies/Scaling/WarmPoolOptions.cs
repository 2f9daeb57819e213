namespace Spillway.Policies.Scaling;

/// <summary>Spare replicas by the newsvendor rule.</summary>
public sealed record WarmPoolOptions
{
    /// <summary>What a missing replica costs.</summary>
    [Option("What it costs when a replica is missing for an hour: broken promises, lost orders. Only the ratio to "
        + "idleCost matters.", Min = 0.000001, Max = 1e9,
        Source = "19 to 1 covers 95 % of the bursts, the usual promise")]
    public double MissingCost { get; init; } = 19;

    /// <summary>What an idle replica costs.</summary>
    [Option("What an idle replica costs for an hour, in the same money.", Min = 0.000001, Max = 1e9,
        Source = "one, as the unit of missingCost")]
    public double IdleCost { get; init; } = 1;

    /// <summary>Over which time the demand is judged.</summary>
    [Option("Over this time the mean demand and its bursts are judged.", Unit = "ms", Min = 10_000, Max = 86_400_000,
        Source = "half an hour: some twenty starts of a large model")]
    public double LookBackMs { get; init; } = 1_800_000;
}

namespace Spillway.Policies.Rates;

/// <summary>Rate limits, fair shares, and the kill switch's file.</summary>
public sealed record LimitsOptions
{
    /// <summary>Whether tenants share each model's queue by weight.</summary>
    [Option("Whether tenants share every model by their weights while more is asked than it can do: the queue is "
        + "ordered by what each tenant has had, and none may hold more than its part of the places. Priorities then "
        + "buy earliness, never a larger part.", Source = "off: one tenant is the usual case")]
    public bool FairShares { get; init; }

    /// <summary>Weight of each tenant.</summary>
    [Option("Weights of tenants for fair shares, relative to each other: { gold: 3 } gets three parts where others "
        + "get one.", Min = 0.01, Max = 1000, Source = "1 for each tenant not named")]
    public IReadOnlyDictionary<string, double> Weights { get; init; } = new Dictionary<string, double>();

    /// <summary>How often the kill switch's file is looked for.</summary>
    [Option("How often the file `off` in server.stateFolder is looked for, the kill switch for the day when nothing "
        + "else works. 0: never.", Unit = "ms", Min = 0, Max = 60_000,
        Source = "noticed well within 50 ms; a look costs some microseconds")]
    public double OffFileMs { get; init; } = 20;

    /// <summary>Rate limits by name.</summary>
    [Option("Rate limits by name; a request must pass every one that counts it.")]
    public IReadOnlyDictionary<string, RateOptions> Rates { get; init; } = new Dictionary<string, RateOptions>();

    /// <summary>The weight of a tenant.</summary>
    public double WeightOf(string tenant) => Weights.TryGetValue(tenant, out var weight) ? weight : 1;
}

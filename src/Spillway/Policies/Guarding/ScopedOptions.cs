namespace Spillway.Policies.Guarding;

/// <summary>Whose requests a limit or a budget counts, and whether each of them has one of its own.</summary>
public abstract record ScopedOptions
{
    /// <summary>What each has one of its own; empty shares one among all.</summary>
    [Option("Who has one of their own: each key, tenant, model (deployment), route (served name), or each combination "
        + "of those named: [tenant, route]. Empty: all requests share one.")]
    public IReadOnlyList<GuardScope> Per { get; init; } = [];

    /// <summary>Only these tenants; empty for all.</summary>
    [Option("Counts only the requests of these tenants; empty for all.")]
    public IReadOnlyList<string> Tenants { get; init; } = [];

    /// <summary>Only these deployments; empty for all.</summary>
    [Option("Counts only the requests that these models (deployments) answer; empty for all.")]
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>Only these served names; empty for all.</summary>
    [Option("Counts only the requests to these routes (served names); empty for all.")]
    public IReadOnlyList<string> Routes { get; init; } = [];

    /// <summary>Whether it is about models: it names some, or each has one of its own.</summary>
    public bool ConcernsModels => Models.Count > 0 || Per.Contains(GuardScope.Model);

    /// <summary>Whether it counts a request.</summary>
    /// <param name="tenant">Who pays.</param>
    /// <param name="model">The deployment.</param>
    /// <param name="route">The served name.</param>
    public bool Counts(string tenant, string model, string route) =>
        Has(Tenants, tenant) && Has(Models, model) && Has(Routes, route);

    /// <summary>
    /// The name of the state that a request of that caller shares with others: "tenant=acme route=line-ocr", or "" for
    /// the one of all.
    /// </summary>
    public string ScopeOf(string key, string tenant, string model, string route) =>
        string.Join(' ', Per.Distinct().Select(scope => scope switch
        {
            GuardScope.Key => $"key={key}",
            GuardScope.Tenant => $"tenant={tenant}",
            GuardScope.Model => $"model={model}",
            GuardScope.Route => $"route={route}",
        }));

    private static bool Has(IReadOnlyList<string> names, string name)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i] == name)
                return true;
        }

        return names.Count == 0;
    }
}

/// <summary>What a limit or a budget is counted by.</summary>
public enum GuardScope
{
    /// <summary>Each key, or subject of a token.</summary>
    Key,

    /// <summary>Each tenant.</summary>
    Tenant,

    /// <summary>Each deployment.</summary>
    Model,

    /// <summary>Each served name.</summary>
    Route,
}

/// <summary>What becomes of a request that finds nothing left.</summary>
public enum AtLimit
{
    /// <summary>It is refused at once, with the time after which it would pass.</summary>
    Refuse,

    /// <summary>It waits for its turn, at most queueMs and not beyond its own deadline.</summary>
    Queue,

    /// <summary>A cheaper answer: that is a route's matter (on: [limits, budget]), and refused at start here.</summary>
    Degrade,
}

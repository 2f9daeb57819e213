using Spillway.Policies.Drills;

namespace Spillway.App.Cli.Drills;

/// <summary>What a person wrote after `spillway drill`.</summary>
/// <param name="Kind">Which drill.</param>
/// <param name="Place">Which server.</param>
internal sealed record DrillWish(DrillKind Kind, ServerPlace Place)
{
    /// <summary>The served name; empty for the first that the drill applies to.</summary>
    public string Served { get; init; } = "";

    /// <summary>Files to send; none: what the model's metadata says.</summary>
    public IReadOnlyList<string> Raw { get; init; } = [];

    /// <summary>Which target.</summary>
    public string Target { get; init; } = "";

    /// <summary>By how much a target is slow.</summary>
    public double DelayMs { get; init; } = 300;

    /// <summary>Requests a second; null for what is usual.</summary>
    public double? Rate { get; init; }

    /// <summary>The class of the drill's own requests, which are watched; empty for what the server takes.</summary>
    public string Criticality { get; init; } = "";

    /// <summary>The class of a spike's further requests; empty for the same.</summary>
    public string SpikeCriticality { get; init; } = "";

    /// <summary>Seconds before, while, and after something is broken.</summary>
    public double Before { get; init; } = 3;

    /// <summary>Seconds of each stretch in which something is broken.</summary>
    public double Broken { get; init; } = 5;

    /// <summary>Seconds after.</summary>
    public double After { get; init; } = 5;
}

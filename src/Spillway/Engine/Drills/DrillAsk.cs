using Spillway.Policies.Drills;

namespace Spillway.Engine.Drills;

/// <summary>What somebody wants broken, as they said it.</summary>
/// <param name="Kind">What.</param>
/// <param name="Served">The served name; empty for the first that the drill applies to.</param>
internal sealed record DrillAsk(DrillKind Kind, string Served = "")
{
    /// <summary>With Steps: how many from the first on; 1 by default.</summary>
    public int Steps { get; init; } = 1;

    /// <summary>With a target: which, as "gpu/a", "a", or "all"; empty for the first.</summary>
    public string Target { get; init; } = "";

    /// <summary>With TargetSlow: by how much.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>With TargetThrottled: what the target asks to wait.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);
}

using System.Globalization;

namespace Spillway.Policies.Scaling;

/// <summary>What a policy wishes.</summary>
/// <param name="Replicas">As many there should be, the ones that start included; 0 or more.</param>
/// <param name="Reason">Why, as a part of a sentence with the figures that led there.</param>
internal readonly record struct ScalingDecision(int Replicas, string Reason)
{
    /// <summary>A decision with its figures written the same way everywhere.</summary>
    public static ScalingDecision Of(int replicas, FormattableString reason) =>
        new(Math.Max(0, replicas), reason.ToString(CultureInfo.InvariantCulture));

    /// <summary>The same wish with something to add to its reason.</summary>
    public ScalingDecision Also(int replicas, FormattableString more) =>
        new(replicas, $"{Reason}; {more.ToString(CultureInfo.InvariantCulture)}");
}

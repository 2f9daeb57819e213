using System.Globalization;

namespace Spillway.Policies.Rollout;

/// <summary>Which of the two versions.</summary>
internal enum RolloutSide
{
    /// <summary>The one that answers by default.</summary>
    Champion,

    /// <summary>The one that is to take over.</summary>
    Challenger,
}

/// <summary>Where one request goes.</summary>
/// <param name="Side">Which version answers it.</param>
/// <param name="Copies">Whether the challenger gets a copy, whose answer is compared and thrown away.</param>
/// <param name="Bucket">The caller's place, 0 to 9,999: those below the share have the challenger.</param>
/// <param name="Percent">The challenger's share.</param>
internal readonly record struct RolloutDecision(RolloutSide Side, bool Copies, int Bucket, double Percent)
{
    /// <summary>Why, for the request's record.</summary>
    public string Reason => string.Create(
        CultureInfo.InvariantCulture, $"{(Side is RolloutSide.Challenger ? "challenger" : "champion")}: share "
            + $"{Percent:0.##} %, bucket {Bucket / 100.0:0.00}{(Copies ? ", with a copy to the challenger" : "")}");
}

/// <summary>How one request ended.</summary>
/// <param name="Side">Which version answered it.</param>
/// <param name="Succeeded">Whether it did. Faults of the caller (wrong input, no budget) are no outcomes.</param>
/// <param name="Latency">How long it took; looked at where it succeeded.</param>
/// <param name="Cost">What it cost; zero is not looked at.</param>
internal readonly record struct RolloutOutcome(
    RolloutSide Side, bool Succeeded, TimeSpan Latency, Money Cost = default);

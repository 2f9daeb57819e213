namespace Spillway.Policies.Pricing;

/// <summary>What was paid for hardware over a time, and what came of it.</summary>
/// <param name="Busy">Its price for the time that it ran requests, delivered or not.</param>
/// <param name="Idle">Its price for the rest.</param>
/// <param name="Other">What does not depend on hardware: prices of runs, rows and requests.</param>
/// <param name="Answers">Answers that were delivered.</param>
/// <param name="PeakBusyShare">Busy share of the busiest hour, 0 to 1.</param>
public readonly record struct HardwareUse(Money Busy, Money Idle, Money Other, long Answers, double PeakBusyShare)
{
    /// <summary>Share of the hardware's price that ran requests, 0 to 1.</summary>
    public double BusyShare => (Busy + Idle).Nano > 0 ? Math.Clamp((double)Busy.Nano / (Busy + Idle).Nano, 0, 1) : 0;
}

/// <summary>A point of the curve.</summary>
/// <param name="BusyShare">Share of the time that the hardware runs requests, 0 to 1.</param>
/// <param name="Answer">What an answer costs there, everything included.</param>
public readonly record struct UsagePoint(double BusyShare, Money Answer);

/// <summary>
/// What an answer costs over how busy the hardware is: hardware costs the same busy or idle, so an answer's part of it
/// is what its own busy time costs, divided by the busy share. Pure.
/// </summary>
/// <remarks>
/// It assumes that a run takes as long on a busy machine as it did; where batches grow with load, an answer gets
/// cheaper still. 95 % stands for "full": beyond it requests wait for long.
/// </remarks>
public static class UsageCurve
{
    /// <summary>What counts as fully used.</summary>
    public const double Full = 0.95;

    /// <summary>
    /// The busy share that hardware is sized for: what is left takes the bursts within the busiest hour.
    /// </summary>
    public const double Target = 0.70;

    private static readonly double[] s_shares = [0.01, 0.02, 0.05, 0.10, 0.20, 0.35, 0.50, 0.70, 0.85, Full];

    /// <summary>The curve with the measured point among its own, ascending; empty where nothing was answered.</summary>
    public static IReadOnlyList<UsagePoint> Points(in HardwareUse use)
    {
        if (use.Answers == 0 || use.Busy.Nano <= 0)
            return [];
        var measured = use;
        return [.. s_shares.Append(use.BusyShare).Distinct().Order().Select(s => new UsagePoint(s, At(measured, s)))];
    }

    /// <summary>What an answer would cost at a busy share; nothing where nothing was answered.</summary>
    public static Money At(in HardwareUse use, double share) => use.Answers == 0
        ? Money.Zero
        : new((long)Math.Round(((use.Busy.Nano / share) + use.Other.Nano) / use.Answers));

    /// <summary>
    /// How many times an answer costs what it would at <see cref="Full"/>; 0 where nothing is known.
    /// </summary>
    public static double TimesFull(in HardwareUse use) => use.BusyShare > 0 && At(use, Full).Nano is > 0 and var full
        ? (double)At(use, use.BusyShare).Nano / full : 0;

    /// <summary>
    /// The share of this hardware that would do: sized by the busiest hour for <see cref="Target"/>. Above 1 it is too
    /// small. 0 where nothing is known.
    /// </summary>
    public static double RightSize(in HardwareUse use) => Math.Max(use.PeakBusyShare, use.BusyShare) / Target;

    /// <summary>What the right size would have saved; negative is what it would have cost more.</summary>
    public static Money Saving(in HardwareUse use) =>
        new((long)Math.Round((use.Busy + use.Idle).Nano * (1 - RightSize(use))));
}

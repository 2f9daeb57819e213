namespace Spillway.Planner.Queueing;

/// <summary>
/// Little's law: what is in a system is what comes by time, times how long each stays. It needs no assumption.
/// </summary>
/// <remarks>J. Little, "A proof for the queuing formula L = λW" (1961).</remarks>
internal static class Little
{
    /// <summary>The mean number in the system.</summary>
    public static double InSystem(double rate, double time) => rate * time;

    /// <summary>The mean time in the system.</summary>
    public static double Time(double inSystem, double rate) => inSystem / rate;

    /// <summary>How far three observed figures are from the law, as a part of the number in the system.</summary>
    public static double Error(double inSystem, double rate, double time) =>
        inSystem > 0 ? Math.Abs(inSystem - (rate * time)) / inSystem : rate * time;
}

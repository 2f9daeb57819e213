using Spillway.Planner.Plans;

namespace Spillway.Planner.Workloads;

/// <summary>
/// The expected rate over time: a mean with growth, a day, a week, a ramp and a spike. It is constant within each
/// second,
/// so that a number of arrivals is turned into a time exactly.
/// </summary>
/// <param name="options">The workload.</param>
/// <param name="perSecond">Its mean rate in this region.</param>
/// <param name="startHour">Hour of the week in UTC at the beginning.</param>
/// <param name="utcOffset">Hours that the users' time is ahead.</param>
/// <param name="drill">A spike that a drill adds; null for none.</param>
public sealed class RateShape(
    WorkloadOptions options, double perSecond, double startHour, double utcOffset, SpikeOptions? drill = null)
{
    private const double HoursPerMonth = 730;

    private readonly double _grown = perSecond * Math.Pow(1 + options.GrowthPerMonth, options.MonthsAhead);

    /// <summary>Whether it never changes.</summary>
    public bool IsFlat { get; } = options is { Daily: null, Weekly.Count: 0, Ramp: null, Spike: null,
        GrowthPerMonth: 0 }
        && drill is null;

    /// <summary>Requests a second during that second.</summary>
    /// <param name="second">Since the beginning.</param>
    public double At(double second)
    {
        if (IsFlat)
            return _grown;
        var rate = _grown * Math.Pow(1 + options.GrowthPerMonth, second / 3600 / HoursPerMonth);
        var hour = startHour + utcOffset + (second / 3600);
        if (options.Daily is { } day)
            rate *= 1 + ((day.PeakFactor - 1) * Math.Cos(2 * Math.PI * (hour - day.PeakHour) / 24));
        if (options.Weekly.Count == 7)
            rate *= options.Weekly[(int)Modulo(Math.Floor(hour / 24), 7)];
        return rate * Ramp(second) * Spike(options.Spike, second) * Spike(drill, second);
    }

    private static double Modulo(double value, double by) => value - (by * Math.Floor(value / by));

    private static double Spike(SpikeOptions? spike, double second)
    {
        if (spike is null || second < spike.AtSecond)
            return 1;
        var after = second - spike.AtSecond - spike.ForSeconds;
        if (after < 0)
            return spike.Factor;
        return spike.HalvesInSeconds > 0
            ? 1 + ((spike.Factor - 1) * Math.Pow(0.5, after / spike.HalvesInSeconds)) : 1;
    }

    private double Ramp(double second)
    {
        if (options.Ramp is not { } ramp || second <= ramp.FromSecond)
            return 1;
        if (second >= ramp.ToSecond)
            return ramp.Factor;
        return 1 + ((ramp.Factor - 1) * (second - ramp.FromSecond) / (ramp.ToSecond - ramp.FromSecond));
    }
}

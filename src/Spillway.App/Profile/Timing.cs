namespace Spillway.App.Profile;

/// <summary>Wall and CPU time of a piece of work in this process.</summary>
internal static class Timing
{
    /// <summary>Milliseconds of both.</summary>
    public static (double Ms, double CpuMs) Of(Action work)
    {
        var cpu = Environment.CpuUsage.TotalTime;
        var began = TimeProvider.System.GetTimestamp();
        work();
        return (TimeProvider.System.GetElapsedTime(began).TotalMilliseconds,
            (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds);
    }
}

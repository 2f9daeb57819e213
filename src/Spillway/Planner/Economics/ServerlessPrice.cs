namespace Spillway.Planner.Economics;

/// <summary>What a function costs that is paid by request and by gigabyte-second.</summary>
/// <param name="PerRequest">For each request.</param>
/// <param name="PerGbSecond">For each gigabyte of memory and second.</param>
/// <param name="RoundMs">Times are rounded up to this; 1 at AWS Lambda.</param>
internal readonly record struct ServerlessPrice(double PerRequest, double PerGbSecond, double RoundMs = 1)
{
    /// <summary>What requests cost.</summary>
    /// <param name="requests">How many.</param>
    /// <param name="ms">How long each takes, start-up that is billed included.</param>
    /// <param name="gigabytes">The memory.</param>
    public double Of(double requests, double ms, double gigabytes) =>
        requests * (PerRequest + (PerGbSecond * gigabytes * Math.Ceiling(ms / RoundMs) * RoundMs / 1e3));

    /// <summary>The gigabyte-seconds that an amount for each request buys.</summary>
    public double GbSecondsFor(double each) => Math.Max(0, each - PerRequest) / PerGbSecond;

    /// <summary>Requests at once, by Little's law: more than the provider allows are refused.</summary>
    public static double Concurrency(double perSecond, double seconds) => perSecond * seconds;
}

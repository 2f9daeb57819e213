namespace Spillway.Policies.Pricing;

/// <summary>
/// What one deployment's work costs on one kind of hardware at one time. Immutable, pure, integer nano-units.
/// </summary>
/// <remarks>
/// Hardware has places: the runs that it carries side by side. A run pays one place of an hour's price for its time,
/// rounded down to a nano-unit; what is rounded off stays with the idle time, so that busy and idle time together are
/// the hour's price to the nano-unit.
/// </remarks>
public sealed record ModelPrice
{
    /// <summary>An hour of the whole hardware.</summary>
    public Money PerHour { get; init; }

    /// <summary>Runs that the hardware carries at once; at least 1.</summary>
    public int Places { get; init; } = 1;

    /// <summary>Each run, shared by its requests.</summary>
    public Money PerRun { get; init; }

    /// <summary>Each row that is answered.</summary>
    public Money PerRow { get; init; }

    /// <summary>Each request that is answered.</summary>
    public Money PerRequest { get; init; }

    /// <summary>What the hardware costs for the time of one run.</summary>
    public Money RunTime(TimeSpan time) =>
        new((long)((Int128)PerHour.Nano * Math.Max(time.Ticks, 0) / ((Int128)TimeSpan.TicksPerHour * Places)));

    /// <summary>The part of a run that one request in it has.</summary>
    /// <param name="time">How long the run took.</param>
    /// <param name="before">Rows of the run before the request's.</param>
    /// <param name="rows">The request's rows.</param>
    /// <param name="all">Every row of the run.</param>
    public RunShare Share(TimeSpan time, long before, long rows, long all) => new(
        this,
        new(Shares.Of(RunTime(time).Nano, before, rows, all)),
        new(Shares.Of(PerRun.Nano, before, rows, all)),
        new(Shares.Of(time.Ticks, before, rows, all)));

    /// <summary>
    /// The bill of an answered request: its part of the run, its rows, itself. A request without rows ran nothing and
    /// costs nothing.
    /// </summary>
    public Bill Price(Usage used, in RunShare share) => used.Rows == 0
        ? default
        : new(share.Run, PerRow * used.Rows) { Time = share.Time, Request = PerRequest };

    /// <summary>
    /// The most that a request can cost: alone in a run of that length, which is what it pays when nobody shares.
    /// </summary>
    /// <param name="rows">Its rows.</param>
    /// <param name="runMax">The longest that its run may take: at most the time to its deadline.</param>
    public Money AtMost(long rows, TimeSpan runMax) => RunTime(runMax) + PerRun + (PerRow * rows) + PerRequest;
}

/// <summary>What a request has of the run that it was in.</summary>
/// <param name="Price">The prices of that moment; null when the work has none.</param>
/// <param name="Time">Its part of the hardware's price.</param>
/// <param name="Run">Its part of the run's own price.</param>
/// <param name="Busy">Its part of the run's time.</param>
public readonly record struct RunShare(ModelPrice? Price, Money Time, Money Run, TimeSpan Busy)
{
    /// <summary>What ran for it, delivered or not.</summary>
    public Money Total => Time + Run;
}

namespace Spillway.Policies.Sharing;

/// <summary>One taker of a shared device: its weight, and how much of the device's time it has had.</summary>
/// <param name="options">Weight and priority.</param>
public sealed class FairShare(SharingOptions options)
{
    /// <summary>Relative to the others'.</summary>
    public double Weight { get; } = options.Weight;

    /// <summary>The virtual time, in ticks by weight, at which its next turn is due: what it has had so far.</summary>
    public double Tag { get; internal set; }

    /// <summary>
    /// Where it stands in line: its tag, less what its priority lets it borrow. The lowest goes first.
    /// </summary>
    public double Rank => Tag - Borrow;

    private double Borrow { get; } =
        (FairQueue.Levels - options.Priority) * FairQueue.BorrowPerLevel.Ticks / options.Weight;
}

/// <summary>
/// Start-time fair queueing over the shares of one device: every share carries a tag that advances by the run time it
/// was given divided by its weight, and the lowest tag goes next. Pure arithmetic, one owner, no allocation.
/// </summary>
/// <remarks>
/// Tags and the virtual time follow P. Goyal, H. Vin, H. Cheng, "Start-time fair queueing" (SIGCOMM 1996), with several
/// turns at once as in W. Jin, J. Chase, J. Kaur, "Interposed proportional sharing" (SIGMETRICS 2004): a turn is
/// charged
/// with its expected time when it begins and corrected when it ends. Priorities borrow virtual time as in K. Duda,
/// D. Cheriton, "Borrowed-virtual-time scheduling" (SOSP 1999): they buy earliness, never a larger part.
/// </remarks>
public sealed class FairQueue
{
    /// <summary>The least urgent priority, which borrows nothing.</summary>
    public const int Levels = 3;

    /// <summary>
    /// Run time that each priority level lets a share have ahead of its part. 60 ms: a quarter of the smallest default
    /// deadline, as the ageing
    /// of requests.
    /// </summary>
    public static readonly TimeSpan BorrowPerLevel = TimeSpan.FromMilliseconds(60);

    /// <summary>
    /// A share that could not use its part (its group was full, its runners are few) is owed at most this much of it.
    /// 10 s: above the longest runs, so that ordinary lags behind a long run are made good.
    /// </summary>
    public static readonly TimeSpan LagMax = TimeSpan.FromSeconds(10);

    private double _furthest;

    /// <summary>The present virtual time.</summary>
    public double Now { get; private set; }

    /// <summary>A share wants a turn after it wanted none: the past earns no credit.</summary>
    public void Wake(FairShare share) => share.Tag = Math.Max(share.Tag, Now);

    /// <summary>A share wants another turn while it still has or awaits one: what it is owed is bounded.</summary>
    public void KeepUp(FairShare share) => share.Tag = Math.Max(share.Tag, Now - LagMax.Ticks);

    /// <summary>A turn is given; the lowest tag of those who could have had it is the virtual time.</summary>
    public void Passed(double lowestTag) => Now = Math.Max(Now, lowestTag);

    /// <summary>Charges a share; negative to correct an estimate.</summary>
    public static void Charge(FairShare share, double ticks) => share.Tag += ticks / share.Weight;

    /// <summary>A share wants nothing more.</summary>
    /// <param name="share">Which.</param>
    /// <param name="last">No other one wants anything either: everybody begins anew, on equal terms.</param>
    public void Rest(FairShare share, bool last)
    {
        _furthest = Math.Max(_furthest, share.Tag);
        if (last)
            Now = Math.Max(Now, _furthest);
    }
}

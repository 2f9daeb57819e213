using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;

namespace Spillway.Planner.Fleet;

/// <summary>A simulated site: takes requests that have reached it, and hands them back answered or refused.</summary>
/// <param name="name">Of the plan.</param>
/// <param name="options">Of the plan.</param>
/// <param name="home">Who sends requests and takes them back.</param>
internal abstract class Site(string name, SiteOptions options, Simulation home)
{
    private const double BytesPerGb = 1e9;

    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>Of the plan.</summary>
    public SiteOptions Options => options;

    /// <summary>Its number in the simulation.</summary>
    public required int Index { get; init; }

    /// <summary>The number of its place among the candidate's sites: the steps of a pipeline share one.</summary>
    public required int Place { get; init; }

    /// <summary>The name of that place in the plan.</summary>
    public required string PlaceName { get; init; }

    /// <summary>Requests come here first; false for the later steps of a pipeline.</summary>
    public required bool IsEntry { get; init; }

    /// <summary>What it serves.</summary>
    public required VariantOptions Variant { get; init; }

    /// <summary>What is done before the model can be done at present.</summary>
    public bool HasFeatures { get; private set; } = true;

    /// <summary>Not to be reached at present.</summary>
    public bool Lost { get; protected set; }

    /// <summary>Answers remembered.</summary>
    public required AnswerMemory Memory { get; init; }

    /// <summary>Bytes that came.</summary>
    public double BytesIn { get; set; }

    /// <summary>Bytes that left.</summary>
    public double BytesOut { get; set; }

    /// <summary>Requests that it answered, from its cache too.</summary>
    public long Answered { get; set; }

    /// <summary>Those of them that came from its cache.</summary>
    public long Remembered { get; set; }

    /// <summary>What an hour of its machines costs with all replicas that it may have.</summary>
    public virtual double FullPerHour => 0;

    /// <summary>Starts that somebody waited for.</summary>
    public long ColdStarts { get; protected set; }

    /// <summary>Replicas or instances that take requests.</summary>
    public abstract int Ready { get; }

    /// <summary>Most replicas or instances that there were.</summary>
    public int ReadyMost { get; protected set; }

    /// <summary>What rate limits and budgets did here.</summary>
    public virtual IReadOnlyList<GateCount> Turned => [];

    /// <summary>Second attempts, and second copies of slow calls, at upstreams.</summary>
    public virtual (long Retries, long Hedges) Again => (0, 0);

    /// <summary>The simulation.</summary>
    protected Simulation Home => home;

    /// <summary>The present.</summary>
    protected Instant Now => home.Calendar.Now;

    /// <summary>The simulated time begins.</summary>
    public abstract void Open();

    /// <summary>A request has reached it.</summary>
    public abstract void Enter(Ride ride);

    /// <summary>Something goes wrong here in a drill; what a kind of site does not have cannot go wrong
    /// there.</summary>
    /// <param name="what">Which.</param>
    public void Suffer(Mishap what)
    {
        switch (what)
        {
            case Mishap.NodeLost:
                LoseNode();
                break;
            case Mishap.SiteLost:
                Lost = true;
                LoseAll();
                break;
            case Mishap.SiteBack:
                ComeBack();
                break;
            case Mishap.Throttled:
            case Mishap.Unthrottled:
                Throttle(what is Mishap.Throttled);
                break;
            case Mishap.SpotTaken:
                TakeBack();
                break;
            case Mishap.CacheEmptied:
                Forget();
                break;
            case Mishap.FeaturesLost:
            case Mishap.FeaturesBack:
                HasFeatures = what is Mishap.FeaturesBack;
                break;
            case Mishap.Cooled:
                Cool();
                break;
        }
    }

    /// <summary>What it cost until now, in lines, the machines first.</summary>
    public IEnumerable<CostLine> Costs(Instant until)
    {
        foreach (var line in OwnCosts(until))
            yield return line;
        if (options.PerMonth > 0 && IsEntry)
        {
            var months = (decimal)(until - default(Instant)).TotalHours / CostLine.HoursPerMonth;
            yield return new(name, "site", months, "months", (decimal)options.PerMonth);
        }

        if (options.EgressPerGb > 0 && BytesOut > 0)
            yield return new(name, "egress", (decimal)(BytesOut / BytesPerGb), "GB", (decimal)options.EgressPerGb);
        if (options.IngressPerGb > 0 && BytesIn > 0)
            yield return new(name, "ingress", (decimal)(BytesIn / BytesPerGb), "GB", (decimal)options.IngressPerGb);
    }

    /// <summary>
    /// The work that was done as a part of what its ready replicas could have done with full batches, 0 to 1; null
    /// where it has no capacity of its own.
    /// </summary>
    public abstract double? Utilisation(Instant until);

    /// <summary>Replica-hours, or instance-hours that ran, until now.</summary>
    public abstract double ReplicaHours(Instant until);

    /// <summary>One replica dies with what it holds.</summary>
    protected virtual void LoseNode()
    {
    }

    /// <summary>Everything here dies with what it holds.</summary>
    protected virtual void LoseAll()
    {
    }

    /// <summary>The site is back, empty.</summary>
    protected virtual void ComeBack() => Lost = false;

    /// <summary>Everything remembered is forgotten.</summary>
    protected virtual void Forget() => Memory.Clear();

    /// <summary>An upstream refuses, or no longer.</summary>
    protected virtual void Throttle(bool refuses)
    {
    }

    /// <summary>Spot machines are taken back.</summary>
    protected virtual void TakeBack()
    {
    }

    /// <summary>Only the fewest replicas are left.</summary>
    protected virtual void Cool()
    {
    }

    /// <summary>What its machines, calls or tokens cost.</summary>
    protected abstract IEnumerable<CostLine> OwnCosts(Instant until);
}

/// <summary>What can go wrong in a drill.</summary>
public enum Mishap
{
    /// <summary>One replica dies with what it holds.</summary>
    NodeLost,

    /// <summary>The site is gone with what it holds.</summary>
    SiteLost,

    /// <summary>The site is back, empty.</summary>
    SiteBack,

    /// <summary>An upstream answers 429.</summary>
    Throttled,

    /// <summary>It answers again.</summary>
    Unthrottled,

    /// <summary>Spot machines are taken back, with their notice.</summary>
    SpotTaken,

    /// <summary>Everything remembered is forgotten.</summary>
    CacheEmptied,

    /// <summary>All replicas but the fewest are gone, as after a quiet night.</summary>
    Cooled,

    /// <summary>What is done before the model, as fetching features, can not be done.</summary>
    FeaturesLost,

    /// <summary>It can be done again.</summary>
    FeaturesBack,
}

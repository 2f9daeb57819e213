using Spillway.Planner.Fleet;
using Spillway.Planner.Plans;

namespace Spillway.Planner.Outcomes;

/// <summary>The promise that is counted second by second.</summary>
/// <param name="Within">A kept one is answered within this.</param>
/// <param name="Share">So many of a second's requests must be.</param>
/// <param name="FirstToken">It is about the first token.</param>
public readonly record struct Promise(TimeSpan Within, double Share, bool FirstToken)
{
    /// <summary>
    /// The strictest goal about time that a plan has; where it has none, an answer at all, for everybody but the part
    /// that may be refused.
    /// </summary>
    public static Promise Of(GoalOptions goals)
    {
        if (goals.P95Ms is { } p95)
            return new(TimeSpan.FromMilliseconds(p95), 0.95, FirstToken: false);
        if (goals.P99Ms is { } p99)
            return new(TimeSpan.FromMilliseconds(p99), 0.99, FirstToken: false);
        if (goals.FirstTokenP95Ms is { } first)
            return new(TimeSpan.FromMilliseconds(first), 0.95, FirstToken: true);
        return goals.P50Ms is { } p50
            ? new(TimeSpan.FromMilliseconds(p50), 0.5, FirstToken: false)
            : new(TimeSpan.MaxValue, 1 - (goals.RefusedShareMax ?? 0), FirstToken: false);
    }
}

/// <summary>A stretch of simulated time, for plots.</summary>
/// <param name="Second">Where it begins.</param>
/// <param name="Offered">Requests that came in it.</param>
/// <param name="Answered">Answers that came back in it.</param>
/// <param name="Failed">Refusals and losses that came back in it.</param>
/// <param name="P95Ms">Of the answers.</param>
/// <param name="Ready">Replicas that took requests at its end.</param>
public readonly record struct Stretch(
    double Second, long Offered, long Answered, long Failed, double P95Ms, int Ready);

/// <summary>What a simulation counts. One owner.</summary>
internal sealed class Tally
{
    /// <summary>Stretches of a run; a plot is no wider.</summary>
    public const int Stretches = 120;

    private readonly Promise _promise;
    private readonly long _from;
    private readonly long _until;
    private readonly int[] _offered;
    private readonly int[] _kept;
    private readonly List<Stretch> _stretches = [];
    private readonly double _stretchSeconds;
    private TimeHistogram _now = new();
    private long _nowOffered;
    private long _nowAnswered;
    private long _nowFailed;

    /// <summary>Counts for a plan.</summary>
    public Tally(PlanOptions plan)
    {
        _promise = Promise.Of(plan.Goals);
        _from = (long)(plan.WarmUpSeconds * TimeSpan.TicksPerSecond);
        _until = (long)(plan.DurationSeconds * TimeSpan.TicksPerSecond);
        (_offered, _kept) = (new int[(int)plan.DurationSeconds + 1], new int[(int)plan.DurationSeconds + 1]);
        _stretchSeconds = plan.DurationSeconds / Stretches;
    }

    /// <summary>Requests that came, the warm-up's too.</summary>
    public long All { get; private set; }

    /// <summary>Answers, the warm-up's too.</summary>
    public long AllAnswered { get; private set; }

    /// <summary>Requests after the warm-up.</summary>
    public long Offered { get; private set; }

    /// <summary>Those of them that were answered.</summary>
    public long Answered { get; private set; }

    /// <summary>Those of them that were answered within the promise.</summary>
    public long Kept { get; private set; }

    /// <summary>Those of them that a cache answered.</summary>
    public long FromCache { get; private set; }

    /// <summary>Answers that came back between the warm-up and the end of the simulated time.</summary>
    public long AnsweredInTime { get; private set; }

    /// <summary>Those of them that were within the promise.</summary>
    public long KeptInTime { get; private set; }

    /// <summary>Tokens written, the warm-up's too.</summary>
    public long Tokens { get; private set; }

    /// <summary>Why others were not answered.</summary>
    public SortedDictionary<FaultKind, long> Faults { get; } = [];

    /// <summary>Times of the answered ones.</summary>
    public TimeHistogram Total { get; } = new();

    /// <summary>By stage.</summary>
    public TimeHistogram[] ByStage { get; } = [.. PlanStages.All.Select(_ => new TimeHistogram())];

    /// <summary>By step of a pipeline; empty without one.</summary>
    public TimeHistogram[] BySteps { get; init; } = [];

    /// <summary>Until the first token, as users see it.</summary>
    public TimeHistogram FirstToken { get; } = new();

    /// <summary>Per further token.</summary>
    public TimeHistogram PerToken { get; } = new();

    /// <summary>The simulated time in pieces.</summary>
    public IReadOnlyList<Stretch> Pieces => _stretches;

    /// <summary>A request was sent.</summary>
    public void Came(Instant now)
    {
        All++;
        _nowOffered++;
        _offered[SecondOf(now)]++;
    }

    /// <summary>A request has passed a step of its pipeline.</summary>
    public void Passed(Ride ride, Instant now)
    {
        if (ride.Arrival.At.Ticks >= _from)
            BySteps[ride.Step].Add((now - ride.StepBegan).Ticks);
    }

    /// <summary>A request came back to its user.</summary>
    /// <param name="ride">With all of its stages.</param>
    /// <param name="now">The present.</param>
    /// <param name="back">The way back of a first token.</param>
    public void Ended(Ride ride, Instant now, TimeSpan back)
    {
        var sent = ride.Arrival.At;
        var total = now - sent;
        var first = ride.First == Instant.Never ? total : ride.First - sent + back;
        var answered = ride.Fault is null;
        var kept = answered && (_promise.FirstToken ? first : total) <= _promise.Within;
        _kept[SecondOf(sent)] += kept ? 1 : 0;
        if (answered)
        {
            AllAnswered++;
            Tokens += ride.Arrival.TokensOut;
            AnsweredInTime += IsMeasured(now) ? 1 : 0;
            KeptInTime += kept && IsMeasured(now) ? 1 : 0;
            _nowAnswered++;
            _now.Add(total.Ticks);
        }
        else
        {
            _nowFailed++;
        }

        if (sent.Ticks >= _from)
            Measure(ride, total, first, kept);
    }

    /// <summary>A request after the warm-up.</summary>
    private void Measure(Ride ride, TimeSpan total, TimeSpan first, bool kept)
    {
        Offered++;
        if (ride.Fault is { } fault)
        {
            Faults[fault] = Faults.GetValueOrDefault(fault) + 1;
            return;
        }

        Answered++;
        Kept += kept ? 1 : 0;
        FromCache += ride.FromCache ? 1 : 0;
        Total.Add(total.Ticks);
        for (var stage = 0; stage < ByStage.Length; stage++)
            ByStage[stage].Add(ride.Stages[stage]);
        if (ride.First == Instant.Never)
            return;
        FirstToken.Add(first.Ticks);
        if (ride.Arrival.TokensOut > 1)
            PerToken.Add((total - first).Ticks / (ride.Arrival.TokensOut - 1));
    }

    /// <summary>Whether a stretch is over.</summary>
    public bool IsDue(Instant now) =>
        _stretches.Count < Stretches - 1 && Seconds(now) >= (_stretches.Count + 1) * _stretchSeconds;

    /// <summary>Ends the stretches that are over.</summary>
    public void Sample(Instant now, int ready)
    {
        while (IsDue(now))
            Push(ready);
    }

    /// <summary>The simulated time is over.</summary>
    public void Close(Instant now, int ready)
    {
        Sample(now, ready);
        Push(ready);
    }

    /// <summary>Seconds after the warm-up in which the promise was broken.</summary>
    public int BrokenSeconds()
    {
        var broken = 0;
        for (var second = (int)(_from / TimeSpan.TicksPerSecond); second < _offered.Length; second++)
            broken += _offered[second] > 0 && _kept[second] < _promise.Share * _offered[second] ? 1 : 0;
        return broken;
    }

    private bool IsMeasured(Instant at) => at.Ticks >= _from && at.Ticks <= _until;

    private static double Seconds(Instant at) => at.Ticks / (double)TimeSpan.TicksPerSecond;

    private int SecondOf(Instant at) => Math.Min(_offered.Length - 1, (int)(at.Ticks / TimeSpan.TicksPerSecond));

    private void Push(int ready)
    {
        _stretches.Add(new(_stretches.Count * _stretchSeconds, _nowOffered, _nowAnswered, _nowFailed,
            _now.At(0.95).TotalMilliseconds, ready));
        (_nowOffered, _nowAnswered, _nowFailed) = (0, 0, 0);
        if (_now.Count > 0)
            _now = new();
    }
}

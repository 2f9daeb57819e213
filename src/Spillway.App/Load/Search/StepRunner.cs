namespace Spillway.App.Load.Search;

/// <summary>Runs one rate against one endpoint and judges it.</summary>
internal sealed class StepRunner(LoadPlan plan, Endpoint endpoint, LoadClock clock, SearchPlan? search)
{
    /// <summary>A queue that grows by a few percent needs some time to show.</summary>
    private const double SecondsMin = 3;

    /// <summary>When a step is looked at before its end; the end is the last look.</summary>
    private static readonly double[] s_looks = [0.4, 0.6, 0.8];

    private readonly EarlyStopping[] _rules = search is null ? []
        : [.. search.Bounds.Select(b => new EarlyStopping(b.Share, search!.Confidence, EarlyStopping.LooksMax))];

    private int _number;

    /// <summary>
    /// Below it the longest step has too few requests to show that a bound holds, were none of them over.
    /// </summary>
    public double RateMin => _rules.Max(r => r.RequestsNeeded(over: 0)) / search!.StepSecondsMax;

    /// <summary>Null when interrupted before it began to measure.</summary>
    public StepReport? Run(double rate, string kind, double secondsFactor, Action<RoundProgress> progress,
        CancellationToken stop)
    {
        _number++;
        var seconds = search is null ? plan.DurationSeconds : Seconds(rate) * secondsFactor;
        var step = plan with
        {
            Rate = rate,
            DurationSeconds = seconds,
            Phases = [new(1, seconds)],
        };
        var cohorts = new Cohorts([.. (search?.Bounds ?? []).Select(b => b.LimitNs)], seconds);
        var verdict = Verdict.Undecided;
        var looked = 0;
        bool Look(long sinceBegin)
        {
            if (search is null || looked == s_looks.Length || sinceBegin < s_looks[looked] * seconds * 1e9)
                return false;
            looked++;
            // A queue that grows slowly breaks its bounds late: that they hold is not said before it would show.
            var soon = sinceBegin < Math.Min(SecondsMin, search.StepSecondsMax) * 1e9;
            var seen = Judge(cohorts, sinceBegin);
            if (seen == Verdict.Undecided || (soon && seen == Verdict.Holds))
                return false;
            verdict = seen;
            return true;
        }

        if (new Round(step, endpoint, _number, clock, csv: null).Run(progress, stop, Look, cohorts) is not { } data)
            return null;
        if (verdict == Verdict.Undecided)
            verdict = Judge(cohorts, long.MaxValue);
        return Report(step, data, kind, cohorts, verdict);
    }

    /// <summary>
    /// Long enough for a rate that breaks its bounds half as often as it may to prove itself, within the plan's limit.
    /// </summary>
    private double Seconds(double rate) =>
        Math.Clamp(_rules.Select((r, i) => Requests(r, i)).Max() / rate, Math.Min(SecondsMin, search!.StepSecondsMax),
            search.StepSecondsMax);

    private long Requests(EarlyStopping rule, int bound)
    {
        var allowed = 1 - search!.Bounds[bound].Share;
        for (var over = 0L; ; over++)
        {
            var needed = rule.RequestsNeeded(over);
            if (over >= needed * allowed / 2)
                return needed;
        }
    }

    private Verdict Judge(Cohorts cohorts, long sinceBegin)
    {
        var all = Verdict.Holds;
        for (var i = 0; i < _rules.Length; i++)
        {
            var (inside, over) = cohorts.Decided(i, sinceBegin);
            var one = _rules[i].Judge(inside, over);
            if (one == Verdict.Broken)
                return one;
            if (one == Verdict.Undecided)
                all = one;
        }

        return all;
    }

    private StepReport Report(LoadPlan step, RoundData data, string kind, Cohorts cohorts, Verdict verdict)
    {
        var round = ReportBuilder.BuildRound(step, endpoint, [data], _number);
        var tightest = search?.Bounds.Min(b => b.LimitNs) ?? LoadClock.PerSecond;
        return new()
        {
            Step = _number,
            Kind = kind,
            Rate = step.Rate,
            Seconds = data.Seconds,
            Offered = round.Counts.Offered,
            Ok = round.Counts.Ok,
            OkPerSecond = round.OkPerSecond,
            GoodputShare = round.Counts.GoodputShare,
            Latency = round.Counts.Latency,
            Bounds = [.. _rules.Select((rule, i) => Report(rule, i, cohorts, data.Recorder.Phases[0]))],
            Verdict = search is null ? null : Name(verdict),
            CpuMicrosecondsPerCompleted = round.CpuMicrosecondsPerCompleted,
            GeneratorLate =
                data.Recorder.DispatchLag.Quantile(0.99) > Math.Max(tightest / 10, LoadClock.PerMillisecond),
        };
    }

    private BoundReport Report(EarlyStopping rule, int index, Cohorts cohorts, Tally tally)
    {
        var bound = search!.Bounds[index];
        var (inside, over) = cohorts.Decided(index, long.MaxValue);
        var rank = EarlyStopping.UpperRank(tally.Offered, bound.Share, search.Confidence);
        // What was not answered ok is later than everything that was.
        var upper = rank is { } k && k <= tally.Ok
            ? tally.OkLatency.Quantile(k / (double)tally.Ok) / (double)LoadClock.PerMillisecond : (double?)null;
        var share = inside + over == 0 ? 0 : inside / (double)(inside + over);
        return new(bound.Name, inside, over, share, upper, Name(rule.Judge(inside, over)));
    }

    private static string Name(Verdict verdict) => verdict switch
    {
        Verdict.Undecided => "undecided",
        Verdict.Holds => "holds",
        Verdict.Broken => "broken",
    };
}

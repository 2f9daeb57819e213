using System.Globalization;

namespace Spillway.Policies.Rollout;

/// <summary>What a challenger is watched by.</summary>
internal enum RolloutGuard
{
    /// <summary>It fails more often.</summary>
    Errors,

    /// <summary>It is slower.</summary>
    Latency,

    /// <summary>It is dearer.</summary>
    Cost,

    /// <summary>Its answers are others.</summary>
    Agreement,
}

/// <summary>What a guard has seen.</summary>
/// <param name="Guard">Which.</param>
/// <param name="PValue">Its always-valid p-value.</param>
/// <param name="PMax">The challenger is stopped at or below it.</param>
internal readonly record struct RolloutEvidence(RolloutGuard Guard, double PValue, double PMax);

/// <summary>
/// The guards of one rollout. Each may stop a challenger that is no worse with its part of the promised rate, so
/// together they do with at most the whole (Bonferroni). Pure, one owner.
/// </summary>
internal sealed class RolloutGuards
{
    private readonly RolloutOptions _options;
    private readonly OddsTest _errors = new();
    private readonly MeanTest _latency;
    private readonly MeanTest? _cost;
    private readonly ShareTest? _agreement;
    private readonly double _most;
    private Tally _champion;
    private Tally _challenger;
    private long _copies;
    private long _agreed;

    /// <summary>Nothing is seen yet.</summary>
    public RolloutGuards(RolloutOptions options)
    {
        _options = options;
        _latency = new(Math.Log(1 + options.LatencyTolerance));
        _cost = options.CostTolerance is { } dearer ? new(Math.Log(1 + dearer)) : null;
        _agreement = options.ShadowPercent > 0 ? new(1 - options.AgreementMin) : null;
        _most = options.FalseAbortRate / (2 + (_cost is null ? 0 : 1) + (_agreement is null ? 0 : 1));
    }

    /// <summary>Requests that ended, and of those the failed ones, of a side.</summary>
    public (long Requests, long Failures) Count(RolloutSide side) => side switch
    {
        RolloutSide.Champion => (_champion.Requests, _champion.Failures),
        RolloutSide.Challenger => (_challenger.Requests, _challenger.Failures),
    };

    /// <summary>How much slower the challenger is, 0.2 for 20 %, in the geometric mean; 0 while too little is seen.
    /// </summary>
    public double Slower => Math.Exp(_latency.Difference) - 1;

    /// <summary>Copies that were compared, and of those the ones that agreed.</summary>
    public (long Compared, long Agreed) Copies => (_copies, _agreed);

    /// <summary>Every guard that watches.</summary>
    public IEnumerable<RolloutEvidence> All
    {
        get
        {
            yield return new(RolloutGuard.Errors, _errors.PValue, _most);
            yield return new(RolloutGuard.Latency, _latency.PValue, _most);
            if (_cost is not null)
                yield return new(RolloutGuard.Cost, _cost.PValue, _most);
            if (_agreement is not null)
                yield return new(RolloutGuard.Agreement, _agreement.PValue, _most);
        }
    }

    /// <summary>A request ended; why the challenger is to be stopped, or null.</summary>
    public string? Observe(in RolloutOutcome outcome)
    {
        ref var tally = ref outcome.Side is RolloutSide.Challenger ? ref _challenger : ref _champion;
        tally.Requests++;
        tally.Failures += outcome.Succeeded ? 0 : 1;
        _errors.Add(outcome.Side, outcome.Succeeded);
        // How long a failure took says nothing; a fast failure would even look good.
        if (outcome.Succeeded)
            _latency.Add(outcome.Side, Math.Log(Math.Max(outcome.Latency.Ticks, 1)));
        if (outcome is { Succeeded: true, Cost.Nano: > 0 })
            _cost?.Add(outcome.Side, Math.Log(outcome.Cost.Nano));
        return Judge();
    }

    /// <summary>A copy was compared; why the challenger is to be stopped, or null.</summary>
    public string? Observe(bool agrees)
    {
        _copies++;
        _agreed += agrees ? 1 : 0;
        _agreement?.Add(!agrees);
        return Judge();
    }

    /// <summary>The share changes.</summary>
    public void NextStep()
    {
        _latency.NextStratum();
        _cost?.NextStratum();
    }

    private string? Judge()
    {
        if (_errors.PValue <= _most)
            return Say(_errors.PValue, $"it fails in {Rate(_challenger)} of its requests, the champion in "
                + Rate(_champion));
        if (_latency.PValue <= _most)
            return Say(_latency.PValue, $"it is {Percent(Slower)} slower, and may be "
                + Percent(_options.LatencyTolerance));
        if (_cost?.PValue <= _most)
            return Say(_cost.PValue, $"it is {Percent(Math.Exp(_cost.Difference) - 1)} dearer, and may be "
                + Percent(_options.CostTolerance ?? 0));
        return _agreement?.PValue <= _most
            ? Say(_agreement.PValue, $"{Percent((double)_agreed / _copies)} of its copies agree with the champion, and "
                + $"{Percent(_options.AgreementMin)} must")
            : null;
    }

    private string Say(double p, string what) => string.Create(
        CultureInfo.InvariantCulture, $"{what} (p = {p:0.#####}, stopped at {_most:0.#####})");

    private static string Rate(in Tally tally) => Percent((double)tally.Failures / Math.Max(1, tally.Requests));

    private static string Percent(double part) => string.Create(CultureInfo.InvariantCulture, $"{part * 100:0.##} %");

    private record struct Tally
    {
        public long Requests { get; set; }

        public long Failures { get; set; }
    }
}

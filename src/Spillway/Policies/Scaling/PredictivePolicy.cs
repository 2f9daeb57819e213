using System.Globalization;

namespace Spillway.Policies.Scaling;

/// <summary>
/// The larger of what a reactive policy wants and what a forecast says will be needed when a replica that is ordered
/// now begins to help. A forecast never makes fewer: it can only be silent.
/// </summary>
internal sealed class PredictivePolicy : IScalingPolicy
{
    private const double LearnBusyMin = 0.2;

    private readonly PredictiveOptions _options;
    private readonly IScalingPolicy _reactive;
    private readonly double _busy;
    private readonly TimeSpan _step;
    private BackTest? _test;
    private Instant _stepBegan = Instant.Never;
    private Instant _lastSeen;
    private double _requests;
    private double _measured;
    private double _perReplica;

    /// <summary>Has seen nothing.</summary>
    /// <param name="options">The series and its predictors.</param>
    /// <param name="reactive">Decides where the forecast is lower, unknown or bad.</param>
    /// <param name="busy">The busy part that replicas should have, 0 to 1.</param>
    public PredictivePolicy(PredictiveOptions options, IScalingPolicy reactive, double busy)
    {
        (_options, _reactive, _busy) = (options, reactive, busy);
        _step = TimeSpan.FromMilliseconds(options.StepMs);
    }

    /// <inheritdoc/>
    public string Name => ScalingCatalogue.Predictive;

    /// <inheritdoc/>
    public TimeSpan Every => _reactive.Every;

    /// <summary>The predictors, each fresh, the simplest first.</summary>
    public static IReadOnlyList<IPredictor> Predictors(PredictiveOptions options) =>
    [
        new LastValue(),
        new NaiveSeason(options.SeasonSteps),
        new HoltWinters(options.SeasonSteps, options.Level, options.Trend, options.Season),
    ];

    /// <inheritdoc/>
    public ScalingDecision Decide(in ScalingObservation seen, Instant now)
    {
        var wish = _reactive.Decide(seen, now);
        Learn(seen, now);
        if (_test?.Best() is not { } best || _perReplica <= 0)
            return wish.Also(wish.Replicas, $"no forecast yet");
        if (best.Error > _options.ErrorMax)
            return wish.Also(wish.Replicas,
                $"the best forecast, {best.Predictor.Name}, was off by {best.Error:P0}: not acted on");
        var rate = 0.0;
        for (var ahead = 1; ahead <= _test.Horizon; ahead++)
            rate = Math.Max(rate, best.Predictor.Ahead(ahead));
        rate *= 1 + (_options.Headroom * best.Error);
        var needed = (int)Math.Min(int.MaxValue / 2, Math.Ceiling(rate / (_perReplica * _busy)));
        var told = string.Create(CultureInfo.InvariantCulture,
            $"{best.Predictor.Name} (off by {best.Error:P0} over the last steps) foretells up to {rate:0.#} requests a "
            + $"second within {_test.Horizon} steps: {needed}");
        return needed > wish.Replicas && _options.Acts
            ? new(needed, $"{told}; {_reactive.Name} would want {wish.Replicas}")
            : wish.Also(wish.Replicas, $"{told}");
    }

    private void Learn(in ScalingObservation seen, Instant now)
    {
        if (seen.ReplicaPerSecond > 0)
            _perReplica = seen.ReplicaPerSecond;
        else if (seen is { Ready: > 0, Utilisation: > LearnBusyMin and < 0.99 } && seen.RatePerSecond > 0)
            _perReplica = seen.RatePerSecond / (seen.Ready * seen.Utilisation);
        if (_stepBegan == Instant.Never)
        {
            // Until the order of a replica helps, and until the next decision: no forecast nearer than that is of use.
            var horizon = (int)Math.Clamp(
                Math.Ceiling((seen.LeadTime + Every).Ticks / (double)_step.Ticks), 1, 10_000);
            (_test, _stepBegan, _lastSeen) = (new(Predictors(_options), horizon, _options.BackTestSteps), now, now);
            return;
        }

        Count(seen.RatePerSecond, now);
    }

    // A rate holds since the last observation; it is cut at the ends of steps, so that a step's sum is exact. A step of
    // which nothing was measured is given the mean of its measured part, and is left out when there was none.
    private void Count(double rate, Instant now)
    {
        for (var from = _lastSeen; from < now;)
        {
            var to = Instant.Earlier(now, _stepBegan + _step);
            if (!double.IsNaN(rate))
            {
                _requests += rate * (to - from).TotalSeconds;
                _measured += (to - from).TotalSeconds;
            }

            if (to == _stepBegan + _step)
            {
                if (_measured > 0)
                    _test!.Add(_requests / _measured);
                (_requests, _measured, _stepBegan) = (0, 0, to);
            }

            from = to;
        }

        _lastSeen = now;
    }
}

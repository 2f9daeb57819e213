using Spillway.Policies.Scaling;

namespace Spillway.Tests.Policies.Scaling;

public sealed class PredictivePolicyTests
{
    private const int StepSeconds = 60;

    private static readonly PredictiveOptions s_options = new()
    {
        StepMs = StepSeconds * 1000,
        SeasonSteps = 24,
        BackTestSteps = 48,
    };

    [Fact]
    public void Orders_before_a_daily_peak_begins()
    {
        var policy = new PredictivePolicy(s_options, new FixedPolicy(2), busy: 0.7);
        var last = Run(policy, days: 5, untilStep: 11);
        // At step 12 of each day the rate is 100 a second; a replica answers 10, and should be 70 % busy.
        Assert.InRange(last.Replicas, 15, 16);
        Assert.Contains("foretells", last.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Never_makes_fewer_than_the_reactive_policy_wants()
    {
        var policy = new PredictivePolicy(s_options, new FixedPolicy(30), busy: 0.7);
        Assert.Equal(30, Run(policy, days: 5, untilStep: 20).Replicas);
    }

    [Fact]
    public void Only_says_what_it_would_do_where_it_may_not_act()
    {
        var policy = new PredictivePolicy(s_options with { Acts = false }, new FixedPolicy(2), busy: 0.7);
        var last = Run(policy, days: 5, untilStep: 11);
        Assert.Equal(2, last.Replicas);
        Assert.Contains("foretells", last.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Forecast_that_was_mostly_wrong_is_not_acted_on()
    {
        var policy = new PredictivePolicy(s_options with { ErrorMax = 0.01 }, new FixedPolicy(2), busy: 0.7);
        var random = new Random(3);
        var last = Run(policy, days: 5, untilStep: 11, noise: () => 20 * random.NextDouble());
        Assert.Equal(2, last.Replicas);
        Assert.Contains("not acted on", last.Reason, StringComparison.Ordinal);
    }

    private static ScalingDecision Run(
        PredictivePolicy policy, int days, int untilStep, Func<double>? noise = null)
    {
        ScalingDecision decision = default;
        for (var step = 0; step <= (days * 24) + untilStep; step++)
        {
            // The observation at a step's end tells the rate of the step before.
            var hour = (step + 23) % 24;
            var seen = new ScalingObservation
            {
                Wanted = 2,
                Ready = 2,
                RatePerSecond = (hour is >= 12 and < 16 ? 100 : 10) + (noise?.Invoke() ?? 0),
                ReplicaPerSecond = 10,
                ProvisionDelay = TimeSpan.FromSeconds(40),
                LoadDelay = TimeSpan.FromSeconds(50),
            };
            decision = policy.Decide(seen, new(step * StepSeconds * TimeSpan.TicksPerSecond));
        }

        return decision;
    }
}

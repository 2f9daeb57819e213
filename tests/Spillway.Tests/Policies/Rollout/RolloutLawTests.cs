using Spillway.Policies.Rollout;
using Xunit.Abstractions;

namespace Spillway.Tests.Policies.Rollout;

/// <summary>What the guards promise, on virtual time, with a look after every request.</summary>
public sealed class RolloutLawTests(ITestOutputHelper output)
{
    private const int Seeds = 1000;
    private const double ErrorRate = 0.01;

    private static readonly string[] s_callers = [.. Enumerable.Range(0, 2000).Select(i => $"caller-{i}")];

    [Fact]
    public void Of_a_thousand_challengers_that_are_no_worse_at_most_one_in_twenty_is_stopped()
    {
        // No tolerance: a challenger that is exactly as slow is the hardest case.
        var options = new RolloutOptions
        {
            StepsPercent = [10, 50], StepRequestsMin = 300, StepSecondsMin = 0, LatencyTolerance = 0,
        };
        var stopped = Enumerable.Range(0, Seeds)
            .Count(seed => Run(options, seed, requests: 5000, slower: 1, failsMore: 0).Phase is RolloutPhase.Aborted);
        output.WriteLine($"{stopped} of {Seeds} stopped");
        Assert.InRange(stopped, 0, (int)(options.FalseAbortRate * Seeds));
    }

    [Theory]
    [InlineData(1.2, 0)]
    [InlineData(1, 0.02)]
    public void A_challenger_that_is_really_worse_is_stopped_in_under_2000_of_its_requests(
        double slower, double failsMore)
    {
        var options = new RolloutOptions { StepsPercent = [5, 25, 50, 100], StepSecondsMin = 0 };
        Assert.InRange(Median("5 to 100 %", options, slower, failsMore).Challenger, 1, 2000);
    }

    [Theory]
    [InlineData(1.2, 0)]
    [InlineData(1, 0.02)]
    public void With_half_of_the_requests_it_is_stopped_in_under_2000_of_all(double slower, double failsMore)
    {
        var options = new RolloutOptions { StepsPercent = [50], StepSecondsMin = 0 };
        Assert.InRange(Median("50 %", options, slower, failsMore).All, 1, 2000);
    }

    private (int Challenger, int All) Median(string name, RolloutOptions options, double slower, double failsMore)
    {
        var runs = Enumerable.Range(0, 101)
            .Select(seed => Run(options, seed, requests: 20_000, slower, failsMore)).ToArray();
        var aborted = runs.Count(r => r.Phase is RolloutPhase.Aborted);
        Assert.True(aborted >= runs.Length * 0.9, $"{aborted} of {runs.Length} were stopped at all");
        var challenger = runs.Select(Challengers).Order().ElementAt(runs.Length / 2);
        var all = runs.Select(All).Order().ElementAt(runs.Length / 2);
        output.WriteLine($"{name}: {slower} times as slow, {failsMore} more failures: stopped after {challenger} of "
            + $"its requests, {all} of all (medians); {aborted} of {runs.Length}");
        return (challenger, all);

        static int Challengers((RolloutPhase Phase, int Challengers, int All) run) =>
            run.Phase is RolloutPhase.Aborted ? run.Challengers : int.MaxValue;
        static int All((RolloutPhase Phase, int Challengers, int All) run) =>
            run.Phase is RolloutPhase.Aborted ? run.All : int.MaxValue;
    }

    /// <summary>
    /// Log-normal latencies whose median rises by half over the run, as a day does; failures of one in a hundred.
    /// </summary>
    private static (RolloutPhase Phase, int Challengers, int All) Run(
        RolloutOptions options, int seed, int requests, double slower, double failsMore)
    {
        var random = new Random(seed);
        var policy = new RolloutPolicy(
            options, RolloutPolicy.Begin("tiny", "1", "2", $"salt {seed}").Value, default);
        var (challengers, spare) = (0, double.NaN);
        for (var i = 0; i < requests; i++)
        {
            var side = policy.Decide(s_callers[random.Next(s_callers.Length)], (ulong)i).Side;
            var isWorse = side is RolloutSide.Challenger;
            challengers += isWorse ? 1 : 0;
            var day = 1 + (0.5 * i / requests);
            var latency = 5 * day * (isWorse ? slower : 1) * Math.Exp(0.5 * Gauss(random, ref spare));
            var succeeded = random.NextDouble() >= ErrorRate + (isWorse ? failsMore : 0);
            policy.Observe(new(side, succeeded, TimeSpan.FromMilliseconds(latency)), default);
            if (!policy.State.IsOpen)
                return (policy.State.Phase, challengers, i + 1);
        }

        return (policy.State.Phase, challengers, requests);
    }

    private static double Gauss(Random random, ref double spare)
    {
        if (!double.IsNaN(spare))
            return (spare, spare = double.NaN).Item1;
        var radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
        var (sin, cos) = Math.SinCos(2 * Math.PI * random.NextDouble());
        spare = radius * sin;
        return radius * cos;
    }
}

using Spillway.Policies.Retry;

namespace Spillway.Tests.Policies.Retry;

public sealed class HedgePolicyTests
{
    private static readonly HedgeOptions s_on = new() { Enabled = true };

    [Fact]
    public void Second_copy_goes_after_the_percentile_of_recent_times()
    {
        var hedge = Learned(s_on, [.. Enumerable.Range(1, 320).Select(ms => (double)ms)]);
        var plan = hedge.Plan(isIdempotent: true, At(0), Instant.Never);
        Assert.Equal(HedgeReason.Slow, plan.Reason);
        Assert.InRange(plan.After!.Value.TotalMilliseconds, 0.95 * 304, 304 * 1.125);
        Assert.Contains("p95 of 320", hedge.Explain(plan), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, true, 200, 60_000, nameof(HedgeReason.Off))]
    [InlineData(true, false, 200, 60_000, nameof(HedgeReason.NotIdempotent))]
    [InlineData(true, true, 99, 60_000, nameof(HedgeReason.Unlearned))]
    [InlineData(true, true, 200, 15, nameof(HedgeReason.NoTime))]
    [InlineData(true, true, 200, 60_000, nameof(HedgeReason.Slow))]
    public void Plan_says_why(bool enabled, bool idempotent, int samples, double deadlineMs, string reason)
    {
        var hedge = Learned(new() { Enabled = enabled }, [.. Enumerable.Repeat(2.0, samples)]);
        var plan = hedge.Plan(idempotent, At(0), At(deadlineMs));
        Assert.Equal(reason, plan.Reason.ToString());
        Assert.Equal(reason == nameof(HedgeReason.Slow), plan.After is not null);
        Assert.NotEmpty(hedge.Explain(plan));
        // Never sooner than the least delay, however fast the rest is.
        Assert.True(plan.After is not { } after || after >= TimeSpan.FromMilliseconds(10));
    }

    [Fact]
    public void Copies_and_retries_spend_the_same_budget()
    {
        var budget = new RetryBudget(new());
        var hedge = new HedgePolicy(s_on, budget);
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(_ => hedge.TryBegin(At(0))));
        Assert.False(budget.TryTake(At(0)));
    }

    private static HedgePolicy Learned(HedgeOptions options, double[] ms)
    {
        var hedge = new HedgePolicy(options, new(new()));
        foreach (var time in ms)
            hedge.Observe(TimeSpan.FromMilliseconds(time));
        return hedge;
    }

    private static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));
}

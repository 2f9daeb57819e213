using Spillway.Config;
using Spillway.Engine;
using Spillway.Engine.Upstreams;
using Spillway.Policies.Breaking;
using Spillway.Policies.Concurrency;
using Spillway.Policies.Retry;
using Spillway.Tests.Support;

namespace Spillway.Tests.Engine.Upstreams;

/// <summary>A choice of targets that takes the place of another one while requests are on their way.</summary>
public sealed class TargetChoiceTests
{
    private static readonly Fault s_down = new(FaultKind.UpstreamUnreachable, "down");

    private readonly ManualTimeProvider _time = new();

    private static UpstreamOptions Options(params (string Name, string Url, double Weight)[] targets) => new()
    {
        Targets = targets.ToDictionary(t => t.Name, t => new TargetOptions { Url = t.Url, Weight = t.Weight }),
        Concurrency = new AdaptiveLimitOptions { Enabled = false, Max = 1 },
        Queue = new UpstreamLineOptions { WaitMs = 600_000, BuiltUpWaitMs = 600_000 },
    };

    private TargetChoice Make(UpstreamOptions options, TargetChoice? before = null) =>
        new("u", options, new Clock(_time), new Random(1), before);

    private static ValueTask<UpstreamTurn> Ask(TargetChoice choice) =>
        choice.AcquireAsync(Criticality.Critical, tried: 0, Instant.Never, CancellationToken.None);

    [Fact]
    public async Task Who_waits_before_a_change_goes_first_and_a_target_never_has_more_than_it_may()
    {
        using var old = Make(Options(("a", "http://a", 1)));
        var inside = await Ask(old);
        var first = Ask(old).AsTask();
        using var next = Make(Options(("a", "http://a", 1)), old);
        var second = Ask(next).AsTask();
        Assert.Equal((1, 1), (old.Waiting, next.Waiting));
        Assert.Equal(1, next.Look()[0].InFlight);

        old.Ended(inside, fault: null);
        var turn = await first.WaitAsync(TimeSpan.FromMinutes(2));

        Assert.False(second.IsCompleted);
        Assert.Equal(1, next.Look()[0].InFlight);
        old.Ended(turn, fault: null);
        Assert.Equal(0, (await second.WaitAsync(TimeSpan.FromMinutes(2))).Target);
    }

    [Fact]
    public async Task What_is_known_of_a_target_goes_by_its_name_and_its_address()
    {
        using var old = Make(Options(("a", "http://a", 1), ("b", "http://b", 1)));
        // Until both are left alone, and nobody may be asked.
        while (await Ask(old) is { Target: >= 0 } turn)
            old.Ended(turn, s_down);
        Assert.All(old.Look(), t => Assert.Equal(BreakerState.Open, t.State));

        using var next = Make(Options(("b", "http://b", 7), ("a", "http://elsewhere", 1)), old);

        Assert.Equal(
            [("b", BreakerState.Open), ("a", BreakerState.Closed)], next.Look().Select(t => (t.Name, t.State)));
    }

    [Fact]
    public void The_budget_of_retries_goes_on()
    {
        using var old = Make(Options(("a", "http://a", 1)));
        var spent = new List<bool>();
        Spend(old, spent);
        using var next = Make(Options(("a", "http://a", 1), ("b", "http://b", 1)), old);

        var paid = false;
        var decision = next.Decide(Failed(), ref paid, out _);

        Assert.NotEmpty(spent);
        Assert.Equal((false, RetryReason.BudgetSpent), (decision.Again, decision.Reason));
    }

    /// <summary>Attempts until the budget is spent; none of them ends.</summary>
    private static void Spend(TargetChoice choice, List<bool> spent)
    {
        while (true)
        {
            var paid = false;
            if (!choice.Decide(Failed(), ref paid, out _).Again)
                return;
            spent.Add(paid);
        }
    }

    private static RetryAsk Failed() => new(
        FaultKind.UpstreamUnreachable, 1, FirstByteSent: false, Instant.Never, null, ToldNot: false);
}

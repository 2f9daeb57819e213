using Spillway.Policies.Breaking;
using Spillway.Policies.Concurrency;
using Spillway.Policies.Routing;

namespace Spillway.Tests.Policies.Routing;

public sealed class BalancerTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Idle_targets_get_their_weights(int seed)
    {
        var (balancer, random) = (New(3, 1), new Random(seed));
        var got = new int[2];
        for (var i = 0; i < 4000; i++)
            got[Serve(balancer, random, At(i * 10), ms: 9.5 + random.NextDouble())]++;
        Assert.InRange(got[0] / 4000.0, 0.72, 0.78);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Slow_target_gets_little_and_more_again_when_it_is_fast(int seed)
    {
        var (balancer, random) = (New(1, 1, 1), new Random(seed));
        var got = new int[3];
        for (var i = 0; i < 3000; i++)
        {
            var now = At(i * 10);
            var target = Choose(balancer, random, now).Target;
            Answer(balancer, target, now, ms: target == 1 ? 200 : 10);
            got[target]++;
        }

        Assert.True(got[1] < 60, $"seed {seed}: the slow one got {got[1]} of 3000");
        Array.Clear(got);
        for (var i = 3000; i < 12_000; i++)
            got[Serve(balancer, random, At(i * 10), ms: 10)]++;
        Assert.True(got[1] > 1500, $"seed {seed}: {got[1]} of 9000 after it was well again");
    }

    [Fact]
    public void Predicted_wait_is_the_line_before_a_newcomer_by_the_turns_that_the_targets_give()
    {
        var balancer = New(1, 1);
        Warm(balancer, At(0));
        Assert.Equal(TimeSpan.Zero, balancer.PredictWait(waiting: 0, At(1)));
        var places = 0;
        foreach (var target in balancer.Targets)
        {
            while (target.IsUsable(At(1)))
            {
                target.Begin(At(1));
                places++;
            }
        }

        var latency = balancer.Targets[0].LatencyAt(At(1));
        foreach (var waiting in (int[])[0, 7, 100])
        {
            var expected = (waiting + 1) * latency / places;
            Assert.InRange(balancer.PredictWait(waiting, At(1)).Ticks, (0.99 * expected) - 1, (1.01 * expected) + 1);
        }
    }

    [Fact]
    public void Predicted_wait_while_all_are_left_alone_is_until_the_first_is_tried_out()
    {
        var balancer = New(1, 1);
        for (var i = 0; i < 5; i++)
        {
            foreach (var target in balancer.Targets)
                target.Ended(target.Begin(At(0)), FaultKind.UpstreamUnreachable, null, At(0));
        }

        var choice = Choose(balancer, new(1), At(10));
        Assert.Equal(ChoiceReason.AllOpen, choice.Reason);
        Assert.Equal(choice.Wait, balancer.PredictWait(waiting: 3, At(10)));
    }

    [Fact]
    public void Requests_in_flight_count_by_weight()
    {
        var (balancer, random) = (New(2, 1), new Random(1));
        Warm(balancer, At(0));
        // Nobody answers: what is in flight fills both in proportion.
        for (var i = 0; i < 300; i++)
            balancer.Targets[Choose(balancer, random, At(1)).Target].Begin(At(1));
        Assert.InRange(balancer.Targets[0].InFlight / 300.0, 0.6, 0.72);
    }

    [Fact]
    public void Open_full_and_tried_targets_are_passed_over_and_the_reason_is_said()
    {
        var (balancer, random) = (Limited(2, 1, 1, 1), new Random(1));
        Warm(balancer, At(0));
        Fail(balancer.Targets[0], At(0));
        for (var i = 0; i < 50; i++)
            Assert.NotEqual(0, Choose(balancer, random, At(1)).Target);
        balancer.Targets[1].Begin(At(1));
        balancer.Targets[1].Begin(At(1));
        var choice = Choose(balancer, random, At(1));
        Assert.Equal((2, ChoiceReason.OnlyOne), (choice.Target, choice.Reason));
        // Tried already, and still the only one that may be used.
        Assert.Equal(2, balancer.Choose(At(1), random, tried: 0b100).Target);
        balancer.Targets[2].Begin(At(1));
        balancer.Targets[2].Begin(At(1));
        choice = Choose(balancer, random, At(1));
        Assert.Equal((-1, ChoiceReason.AllFull), (choice.Target, choice.Reason));
    }

    [Fact]
    public void One_that_was_tried_is_not_asked_again_while_another_may_be()
    {
        var (balancer, random) = (New(1, 1, 1), new Random(1));
        Warm(balancer, At(0));
        for (var i = 0; i < 100; i++)
            Assert.Equal(2, balancer.Choose(At(1), random, tried: 0b011).Target);
    }

    [Fact]
    public void With_all_left_alone_it_says_when_the_first_may_be_asked()
    {
        var balancer = New(1, 1);
        Fail(balancer.Targets[0], At(100));
        Fail(balancer.Targets[1], At(0));
        var choice = Choose(balancer, new Random(1), At(150));
        Assert.Equal((-1, ChoiceReason.AllOpen, TimeSpan.FromMilliseconds(100)),
            (choice.Target, choice.Reason, choice.Wait));
        Assert.Contains("the first for 100 ms", balancer.Explain(choice), StringComparison.Ordinal);
    }

    [Fact]
    public void Target_that_may_be_tried_out_is_tried_out_at_once()
    {
        var (balancer, random) = (New(1, 1), new Random(1));
        Warm(balancer, At(0));
        Fail(balancer.Targets[1], At(0));
        var choice = Choose(balancer, random, At(250));
        Assert.Equal((1, ChoiceReason.Probe), (choice.Target, choice.Reason));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_choice_has_a_sentence_and_is_usable(int seed)
    {
        var random = new Random(seed);
        var balancer = Limited(3, 1, 5, 0.1, 2);
        List<(int Target, TargetPass Pass)> flying = [];
        var seen = new HashSet<ChoiceReason>();
        var now = At(0);
        for (var i = 0; i < 5000; i++)
        {
            now += TimeSpan.FromMilliseconds(random.Next(20));
            if (random.Next(2) == 0)
            {
                var choice = balancer.Choose(now, random, (ulong)random.Next(16));
                seen.Add(choice.Reason);
                Assert.NotEmpty(balancer.Explain(choice));
                if (choice.Target < 0)
                    continue;
                Assert.True(balancer.Targets[choice.Target].IsUsable(now), $"seed {seed}, step {i}");
                flying.Add((choice.Target, balancer.Targets[choice.Target].Begin(now)));
            }
            else if (flying.Count > 0)
            {
                var (target, pass) = flying[0];
                flying.RemoveAt(0);
                var fault = random.Next(3) == 0 ? (FaultKind?)FaultKind.UpstreamUnreachable : null;
                if (fault is null)
                    balancer.Targets[target].Began(pass, now);
                balancer.Targets[target].Ended(pass, fault, null, now);
            }
        }

        Assert.True(seen.Count >= 4, string.Join(' ', seen));
        Assert.Equal(flying.Count, balancer.Targets.Sum(t => t.InFlight));
    }

    [Fact]
    public void Choices_allocate_nothing()
    {
        var (balancer, random) = (New(1, 2, 3), new Random(1));
        Serve(balancer, random, At(0), 5);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            Serve(balancer, random, At(i), 5);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static int Serve(Balancer balancer, Random random, Instant now, double ms)
    {
        var target = Choose(balancer, random, now).Target;
        Answer(balancer, target, now, ms);
        return target;
    }

    private static Choice Choose(Balancer balancer, Random random, Instant now) => balancer.Choose(now, random);

    private static void Answer(Balancer balancer, int target, Instant now, double ms)
    {
        var it = balancer.Targets[target];
        var pass = it.Begin(now);
        it.Began(pass, now + TimeSpan.FromMilliseconds(ms));
        it.Ended(pass, null, null, now + TimeSpan.FromMilliseconds(ms));
    }

    private static void Warm(Balancer balancer, Instant now)
    {
        for (var i = 0; i < balancer.Targets.Count; i++)
            Answer(balancer, i, now, ms: 10);
    }

    private static void Fail(Target target, Instant now)
    {
        for (var i = 0; i < 5; i++)
            target.Ended(target.Begin(now), FaultKind.UpstreamUnreachable, null, now);
    }

    private static Balancer New(params double[] weights) => Limited(10_000, weights);

    private static Balancer Limited(int limit, params double[] weights) => new(
        new(),
        [.. weights.Select((weight, i) => new Target(
            $"t{i}", weight, new Breaker(new()), new Gradient2(new() { Enabled = false, Max = limit }),
            TimeSpan.FromSeconds(10)))]);

    private static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));
}

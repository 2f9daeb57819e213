using Spillway.Policies.Chains;

namespace Spillway.Tests.Policies.Chains;

public sealed class ChainPolicyTests
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Fact]
    public void Fault_that_was_declared_moves_on_and_another_is_the_answer()
    {
        var chain = New(Model("full") with { On = ["overload", "answer_unfit"] }, Model("half"), Text());
        Assert.Equal(new ChainMove(1, ChainReason.Fault, 0, FaultKind.QueueFull),
            chain.Next(0, FaultKind.QueueFull, s_second));
        Assert.Equal(1, chain.Next(0, FaultKind.AnswerUnfit, s_second).Step);
        Assert.Equal((-1, ChainReason.NotDeclared),
            Of(chain.Next(0, FaultKind.RuntimeFailed, s_second)));
        Assert.Equal((-1, ChainReason.LastStep), Of(chain.Next(2, FaultKind.QueueFull, s_second)));
    }

    [Fact]
    public void What_nobody_else_could_answer_either_never_moves_on()
    {
        var usual = New(Model("full"), Text());
        FaultKind[] never =
        [
            FaultKind.InvalidInput, FaultKind.Unauthenticated, FaultKind.Forbidden, FaultKind.Cancelled,
            FaultKind.Internal, FaultKind.RateLimited, FaultKind.BudgetExhausted, FaultKind.SwitchedOff,
        ];
        Assert.All(never, kind => Assert.Equal(-1, usual.Next(0, kind, s_second).Step));
        // Limits and budgets are moved on from where somebody says so.
        var thrifty = New(Model("full") with { On = ["budget", "limits", "off"] }, Text());
        Assert.All(never[^3..], kind => Assert.Equal(1, thrifty.Next(0, kind, s_second).Step));
        Assert.All(Enum.GetValues<FaultKind>(), kind => Assert.Equal(
            ChainCauses.GroupOf(kind) is CauseGroup.Overload or CauseGroup.Failure or CauseGroup.Timeout
                or CauseGroup.Unfit, usual.Next(0, kind, s_second).Step == 1));
    }

    [Fact]
    public void Step_that_needs_more_time_than_is_left_is_passed_over_and_what_is_at_hand_needs_none()
    {
        var chain = New(Model("full"), Model("half") with { NeedsMs = 20 }, Cached(), Text());
        Assert.Equal(1, chain.Next(0, FaultKind.UpstreamTimeout, TimeSpan.FromMilliseconds(20)).Step);
        Assert.Equal(2, chain.Next(0, FaultKind.UpstreamTimeout, TimeSpan.FromMilliseconds(19)).Step);
        Assert.Equal(2, chain.Next(0, FaultKind.DeadlineExceeded, TimeSpan.Zero).Step);
        Assert.Equal((3, ChainReason.Missed), Of(chain.Missed(2, TimeSpan.Zero)));
        var models = New(Model("full"), Model("half"));
        Assert.Equal((-1, ChainReason.NoTime), Of(models.Next(0, FaultKind.DeadlineExceeded, TimeSpan.Zero)));
    }

    [Fact]
    public void Cheaper_step_is_taken_before_anything_fails_and_left_with_hysteresis()
    {
        var chain = New(Model("full") with { WhenPredictedWaitMs = 100 }, Model("half"));
        Assert.Equal((0, ChainReason.First), Of(Start(chain, 0, 100)));
        var early = Start(chain, 1, 101);
        Assert.Equal((1, ChainReason.PredictedWait, true), (early.Step, early.Reason, early.IsDegraded));
        Assert.Equal("step 1 (half): step 0 (full) would wait 101 ms, its bound is 100 ms", chain.Explain(early));
        // Below the bound and above half of it; then below half, and the hold of 500 ms is not over.
        Assert.Equal(1, Start(chain, 700, 60).Step);
        Assert.Equal(1, Start(chain, 400, 0).Step);
        Assert.Equal(0, Start(chain, 701, 49).Step);
        Assert.Equal(0, Start(chain, 702, 99).Step);
    }

    [Fact]
    public void Sheddable_requests_step_aside_sooner_while_critical_ones_come()
    {
        var chain = New(Model("full") with { WhenPredictedWaitMs = 100 }, Model("half"));
        TimeSpan[] some = [TimeSpan.FromMilliseconds(60)];
        Assert.Equal(0, chain.Start(some, Criticality.Sheddable, At(0)).Step);
        Assert.Equal(0, chain.Start(some, Criticality.Critical, At(1)).Step);
        var aside = chain.Start(some, Criticality.SheddablePlus, At(2));
        Assert.Equal("step 1 (half): step 0 (full) would wait 60 ms, its bound is 50 ms", chain.Explain(aside));
        Assert.Equal(1, chain.Start([TimeSpan.FromMilliseconds(26)], Criticality.Sheddable, At(3)).Step);
        // What these pass over the critical ones do not.
        Assert.False(chain.IsAvoided(0));
        Assert.Equal(0, chain.Start(some, Criticality.CriticalPlus, At(4)).Step);
        // Ten seconds behind the last of them all are equal again, whatever was passed over before.
        Assert.Equal(1, chain.Start(some, Criticality.SheddablePlus, At(10_003)).Step);
        Assert.Equal(0, chain.Start(some, Criticality.SheddablePlus, At(10_004)).Step);
        Assert.Equal(0, chain.Start(some, Criticality.Sheddable, At(10_005)).Step);
        // Another critical one: what was passed over a while ago says nothing of now.
        Assert.Equal(0, chain.Start(some, Criticality.Critical, At(20_000)).Step);
        Assert.Equal(0, chain.Start([TimeSpan.FromMilliseconds(49)], Criticality.SheddablePlus, At(20_001)).Step);
    }

    [Fact]
    public void The_more_critical_pass_over_what_the_critical_pass_over()
    {
        var chain = New(Model("full") with { WhenPredictedWaitMs = 100 }, Model("half"));
        Assert.Equal(1, chain.Start([TimeSpan.FromMilliseconds(101)], Criticality.CriticalPlus, At(0)).Step);
        Assert.Equal(1, chain.Start([TimeSpan.FromMilliseconds(75)], Criticality.Critical, At(1000)).Step);
        Assert.Equal(0, chain.Start([TimeSpan.FromMilliseconds(49)], Criticality.Critical, At(1001)).Step);
        Assert.Equal(0, chain.Start([TimeSpan.FromMilliseconds(75)], Criticality.CriticalPlus, At(1002)).Step);
    }

    [Fact]
    public void Each_step_has_its_own_bound_and_the_last_one_takes_whoever_is_left()
    {
        var chain = New(
            Model("full") with { WhenPredictedWaitMs = 50 }, Model("half") with { WhenPredictedWaitMs = 80 }, Text());
        Assert.Equal(1, Start(chain, 0, 60, 70).Step);
        Assert.Equal(2, Start(chain, 1, 60, 90).Step);
        Assert.Equal((true, true), (chain.IsAvoided(0), chain.IsAvoided(1)));
        // Without a prediction nothing is known against a step.
        Assert.Equal(0, Start(New(Model("full") with { WhenPredictedWaitMs = 50 }, Text()), 0).Step);
    }

    [Fact]
    public void Time_of_a_step_is_its_own_or_what_is_left()
    {
        var chain = New(Model("full") with { TimeoutMs = 300 }, Model("half"));
        Assert.Equal(TimeSpan.FromMilliseconds(300), chain.TimeoutOf(0, s_second));
        Assert.Equal(TimeSpan.FromMilliseconds(200), chain.TimeoutOf(0, TimeSpan.FromMilliseconds(200)));
        Assert.Equal(s_second, chain.TimeoutOf(1, s_second));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_chain_ends_goes_forwards_and_explains_each_move(int seed)
    {
        var random = new Random(seed);
        string[] words = [.. ChainCauses.Words];
        for (var i = 0; i < 500; i++)
        {
            var chain = New([.. Enumerable.Range(0, random.Next(1, 9)).Select(n => random.Next(3) switch
            {
                0 => Cached(), 1 => Text(),
                _ => Model($"m{n}") with
                {
                    On = [.. Enumerable.Range(0, random.Next(4)).Select(_ => words[random.Next(words.Length)])],
                    NeedsMs = random.Next(100), WhenPredictedWaitMs = random.Next(2) == 0 ? null : 1 + random.Next(50),
                },
            })]);
            double[] waits = [.. Enumerable.Range(0, random.Next(9)).Select(_ => (double)random.Next(90))];
            var move = Start(chain, i * 10, waits);
            for (var steps = 0; move.Step >= 0; steps++)
            {
                Assert.True(steps < chain.Count && move.From < move.Step, $"seed {seed}: {move}");
                Assert.NotEmpty(chain.Explain(move));
                var left = TimeSpan.FromMilliseconds(random.Next(-20, 200));
                var kinds = Enum.GetValues<FaultKind>();
                move = chain[move.Step].Kind is ChainStepKind.Cached
                    ? chain.Missed(move.Step, left)
                    : chain.Next(move.Step, kinds[random.Next(kinds.Length)], left);
            }

            Assert.NotEmpty(chain.Explain(move));
        }
    }

    [Fact]
    public void Moves_allocate_nothing()
    {
        var chain = New(Model("full") with { WhenPredictedWaitMs = 50 }, Model("half"), Text());
        TimeSpan[] waits = [s_second, s_second];
        chain.Next(0, FaultKind.QueueFull, s_second);
        chain.Start(waits, Criticality.Critical, At(0));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            chain.Start(waits, (Criticality)(i % 4), At(i));
            chain.Next(0, FaultKind.QueueFull, s_second);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static (int, ChainReason) Of(ChainMove move) => (move.Step, move.Reason);

    private static ChainMove Start(ChainPolicy chain, double ms, params double[] waits) =>
        chain.Start([.. waits.Select(TimeSpan.FromMilliseconds)], Criticality.Critical, At(ms));

    private static ChainPolicy New(params ChainStepOptions[] steps) => new(new() { Steps = steps });

    private static ChainStepOptions Model(string name) => new() { Model = name };

    private static ChainStepOptions Cached() => new() { Kind = ChainStepKind.Cached };

    private static ChainStepOptions Text() => new() { Kind = ChainStepKind.Message, Message = "later" };

    private static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));
}

using Spillway.Policies.Overload;

namespace Spillway.Tests.Policies.Overload;

public sealed class CriticalityShedderTests
{
    private static readonly SheddingOptions s_on = new() { Enabled = true };

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Tenfold_flood_sheds_from_the_bottom_until_the_queue_is_short_and_lets_all_in_again(int seed)
    {
        var world = new World(seed, capacityPerSecond: 500);
        world.Run(seconds: 5, perSecond: 300);
        Assert.Equal(0, world.Shedder.Cut);
        world.Run(seconds: 20, perSecond: 5000);
        world.Reset();
        world.Run(seconds: 20, perSecond: 5000);
        // A tenth may pass, and that is about what is left; critical ones are all but never refused while sheddable
        // ones pass.
        Assert.True(world.PartOf(Criticality.CriticalPlus) > 0.999, world.ToString());
        Assert.True(world.PartOf(Criticality.Sheddable) < 0.05, world.ToString());
        Assert.True(world.PartOf(Criticality.SheddablePlus) < 0.05, world.ToString());
        Assert.True(world.MeanWaitMs < 60, world.ToString());
        Assert.True(world.Served > 0.85 * 500 * 20, world.ToString());
        world.Run(seconds: 15, perSecond: 300);
        world.Reset();
        world.Run(seconds: 5, perSecond: 300);
        Assert.True(world.PartOf(Criticality.Sheddable) > 0.99, world.ToString());
        Assert.Equal(0, world.Shedder.Cut);
    }

    [Fact]
    public void Cut_stays_between_recovery_and_overload()
    {
        var shedder = new CriticalityShedder(s_on, At(0));
        Window(shedder, 0, waitMs: 100);
        var cut = shedder.Cut;
        Assert.True(cut > 0);
        for (var i = 1; i < 10; i++)
            Window(shedder, i, waitMs: 15);
        Assert.Equal((cut, 15.0), (shedder.Cut, shedder.Measured.TotalMilliseconds));
        Window(shedder, 10, waitMs: 9);
        Assert.True(shedder.Cut < cut);
    }

    [Fact]
    public void Verdict_says_rank_cut_and_what_was_measured()
    {
        var shedder = new CriticalityShedder(s_on, At(0));
        Window(shedder, 0, waitMs: 30);
        var verdict = shedder.Decide(Criticality.Sheddable, caller: 0, TimeSpan.Zero, At(1001));
        Assert.False(verdict.Admitted);
        Assert.Equal(
            $"shed: Sheddable, rank 0, the cut is at {shedder.Cut}; requests waited 30 ms on average, and overload is "
            + "20 ms",
            verdict.Explain());
        Assert.True(shedder.Decide(Criticality.CriticalPlus, 0, TimeSpan.Zero, At(1002)).Admitted);
    }

    [Fact]
    public void Sheddable_ones_leave_room_at_once_while_critical_ones_come()
    {
        var shedder = new CriticalityShedder(s_on, At(0));
        var (some, more) = (TimeSpan.FromMilliseconds(30), TimeSpan.FromMilliseconds(50));

        // Nobody more critical is there: the queue's own limits hold.
        Assert.True(shedder.Decide(Criticality.Sheddable, 0, more, At(1)).Admitted);
        Assert.True(shedder.Decide(Criticality.Critical, 0, more, At(2)).Admitted);
        var verdict = shedder.Decide(Criticality.Sheddable, 0, some, At(3));
        Assert.False(verdict.Admitted);
        Assert.Equal(
            "shed: Sheddable, rank 0, the cut is at 0; 30 ms of work wait while more critical requests come, and "
            + "overload is 20 ms", verdict.Explain());
        Assert.True(shedder.Decide(Criticality.Sheddable, 0, TimeSpan.FromMilliseconds(20), At(4)).Admitted);
        Assert.True(shedder.Decide(Criticality.SheddablePlus, 0, some, At(5)).Admitted);
        Assert.False(shedder.Decide(Criticality.SheddablePlus, 0, more, At(6)).Admitted);
        Assert.True(shedder.Decide(Criticality.Critical, 0, more, At(7)).Admitted);
        // Ten windows after the last one.
        Assert.False(shedder.Decide(Criticality.Sheddable, 0, more, At(10_006)).Admitted);
        Assert.True(shedder.Decide(Criticality.Sheddable, 0, more, At(10_007)).Admitted);
    }

    [Fact]
    public void Same_caller_has_the_same_fate_within_a_class()
    {
        var shedder = new CriticalityShedder(s_on, At(0));
        Window(shedder, 0, waitMs: 40);
        for (var caller = 0u; caller < 128; caller++)
        {
            var first = shedder.Decide(Criticality.Sheddable, caller, TimeSpan.Zero, At(1001)).Admitted;
            Assert.Equal(first, shedder.Decide(Criticality.Sheddable, caller, TimeSpan.Zero, At(1002)).Admitted);
        }
    }

    [Fact]
    public void Highest_class_is_never_shed_and_silence_lets_everybody_in()
    {
        var shedder = new CriticalityShedder(s_on, At(0));
        for (var i = 0; i < 100; i++)
            Window(shedder, i, waitMs: 10_000);
        Assert.True(shedder.Decide(Criticality.CriticalPlus, 0, TimeSpan.Zero, At(100_001)).Admitted);
        Assert.False(shedder.Decide(Criticality.Critical, 127, TimeSpan.Zero, At(100_001)).Admitted);
        // Nobody comes any more: the next one finds an open door.
        shedder.Waited(TimeSpan.Zero, At(101_500));
        Assert.True(shedder.Decide(Criticality.CriticalPlus, 0, TimeSpan.Zero, At(103_000)).Admitted);
        shedder.Waited(TimeSpan.Zero, At(105_000));
        Assert.True(shedder.Decide(Criticality.Sheddable, 0, TimeSpan.Zero, At(107_000)).Admitted);
    }

    [Fact]
    public void Switched_off_it_lets_everybody_in_and_measures_nothing()
    {
        var shedder = new CriticalityShedder(new(), At(0));
        for (var i = 0; i < 10; i++)
            Window(shedder, i, waitMs: 10_000);
        Assert.True(shedder.Decide(Criticality.Sheddable, 0, TimeSpan.Zero, At(10_000)).Admitted);
    }

    private static void Window(CriticalityShedder shedder, int index, double waitMs)
    {
        for (var i = 0; i < 512; i++)
            shedder.Decide((Criticality)(i / 128), (uint)i, TimeSpan.Zero, At(index * 1000));
        shedder.Waited(TimeSpan.FromMilliseconds(waitMs), At((index * 1000) + 1000));
    }

    private static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));

    /// <summary>A queue that is worked off at a steady rate, 100 ms of it at most.</summary>
    private sealed class World(int seed, int capacityPerSecond)
    {
        private readonly Random _random = new(seed);
        private readonly int[] _came = new int[4];
        private readonly int[] _passed = new int[4];
        private double _ms;
        private double _freeAtMs;
        private double _waited;

        public CriticalityShedder Shedder { get; } = new(s_on, At(0));

        public int Served { get; private set; }

        public double MeanWaitMs => _waited / Math.Max(1, Served);

        public double PartOf(Criticality criticality) =>
            _passed[(int)criticality] / (double)Math.Max(1, _came[(int)criticality]);

        public void Reset()
        {
            Array.Clear(_came);
            Array.Clear(_passed);
            (Served, _waited) = (0, 0);
        }

        public void Run(int seconds, int perSecond)
        {
            var until = _ms + (seconds * 1000);
            while ((_ms += -Math.Log(1 - _random.NextDouble()) * 1000 / perSecond) < until)
            {
                // A twentieth is highest, the rest is spread over the others.
                var criticality = _random.Next(20) == 0 ? Criticality.CriticalPlus : (Criticality)_random.Next(3);
                _came[(int)criticality]++;
                if (!Shedder.Decide(criticality, (uint)_random.Next(), TimeSpan.Zero, At(_ms)).Admitted)
                    continue;
                _passed[(int)criticality]++;
                var wait = Math.Max(0, _freeAtMs - _ms);
                Shedder.Waited(TimeSpan.FromMilliseconds(Math.Min(wait, 250)), At(_ms));
                if (wait > 250)
                    continue;
                Served++;
                _waited += wait;
                _freeAtMs = Math.Max(_freeAtMs, _ms) + (1000.0 / capacityPerSecond);
            }
        }

        public override string ToString() => $"seed {seed}: cut {Shedder.Cut}, served {Served}, wait {MeanWaitMs:0.#} "
            + $"ms, passed {string.Join(' ', Enum.GetValues<Criticality>().Select(c => $"{c} {PartOf(c):0.###}"))}";
    }
}

using Spillway.Policies.Concurrency;

namespace Spillway.Tests.Policies.Concurrency;

public sealed class UpstreamLineTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 30)];

    [Fact]
    public void Most_critical_goes_first_and_within_a_class_the_oldest()
    {
        var line = New();
        Criticality[] came =
        [
            Criticality.Critical, Criticality.Sheddable, Criticality.CriticalPlus, Criticality.Critical,
            Criticality.SheddablePlus,
        ];
        for (var slot = 0; slot < came.Length; slot++)
            Assert.Equal(LineSays.Waits, line.Add(slot, came[slot], Instant.Never, At(slot)).Says);
        Assert.Equal([2, 0, 3, 4, 1, -1], Enumerable.Range(0, 6).Select(_ => line.Take(At(10))));
    }

    [Fact]
    public void Full_line_gives_up_the_least_critical_that_waited_longest_and_else_refuses()
    {
        var line = New(new() { LengthMax = 3 });
        line.Add(0, Criticality.SheddablePlus, Instant.Never, At(0));
        line.Add(1, Criticality.Sheddable, Instant.Never, At(1));
        line.Add(2, Criticality.Sheddable, Instant.Never, At(2));
        Assert.Equal(LineSays.Full, line.Add(3, Criticality.Sheddable, Instant.Never, At(3)).Says);
        var verdict = line.Add(3, Criticality.Critical, Instant.Never, At(3));
        Assert.Equal((LineSays.WaitsForAnother, 1, Criticality.Sheddable),
            (verdict.Says, verdict.Shed, verdict.ShedClass));
        Assert.Equal(2, line.Add(1, Criticality.Critical, Instant.Never, At(4)).Shed);
        Assert.Equal(0, line.Add(2, Criticality.Critical, Instant.Never, At(5)).Shed);
        Assert.Equal(LineSays.Full, line.Add(0, Criticality.Critical, Instant.Never, At(6)).Says);
        Assert.Equal((3, 3), (line.Count, line.CountOf(Criticality.Critical)));
    }

    [Fact]
    public void Who_waits_too_long_leaves()
    {
        var line = New();
        var drops = new LineDrop[9];
        for (var slot = 0; slot < 4; slot++)
        {
            var verdict = line.Add(slot, Criticality.Critical, Instant.Never, At(slot * 15));
            Assert.Equal(100, verdict.Patience.TotalMilliseconds);
        }

        Assert.Equal((false, true), (line.IsBuiltUp(At(100)), line.IsBuiltUp(At(100.1))));
        Assert.Equal(1, line.Expire(At(105), drops));
        Assert.Equal((0, false, 105.0), (drops[0].Slot, drops[0].IsLate, drops[0].Waited.TotalMilliseconds));
    }

    [Fact]
    public void Built_up_line_is_short_patience_and_newest_first()
    {
        var line = New();
        line.Add(0, Criticality.Critical, Instant.Never, At(0));
        line.Add(1, Criticality.Critical, Instant.Never, At(60));
        Assert.Equal(0, line.Take(At(90)));
        line.Add(2, Criticality.Critical, Instant.Never, At(90));
        Assert.False(line.IsBuiltUp(At(100)));
        Assert.Equal(5, line.Add(3, Criticality.Critical, Instant.Never, At(120)).Patience.TotalMilliseconds);
        Assert.Contains("each may wait 5 ms", line.Explain(At(120)), StringComparison.Ordinal);
        Assert.Equal(3, line.Take(At(121)));
        Assert.Equal(2, line.Take(At(122)));
        Assert.Equal(1, line.Take(At(123)));
        // Empty once: patience is back.
        Assert.Equal(100, line.Add(4, Criticality.Critical, Instant.Never, At(123)).Patience.TotalMilliseconds);
    }

    [Fact]
    public void One_that_cannot_be_answered_in_time_leaves_when_it_can_no_longer_begin()
    {
        var line = New();
        var drops = new LineDrop[2];
        line.Add(0, Criticality.CriticalPlus, At(30), At(0));
        Assert.Equal(At(30), line.WakeAt);
        Assert.Equal(0, line.Expire(At(29), drops));
        Assert.Equal(1, line.Expire(At(30), drops));
        Assert.True(drops[0].IsLate);
        Assert.Equal((0, Instant.Never), (line.Count, line.WakeAt));
    }

    [Fact]
    public void Leaving_from_anywhere_frees_the_place()
    {
        var line = New();
        for (var slot = 0; slot < 5; slot++)
            line.Add(slot, Criticality.Critical, Instant.Never, At(0));
        Assert.True(line.Remove(2, At(1)) && line.Remove(0, At(1)) && line.Remove(4, At(1)));
        Assert.False(line.Remove(2, At(1)) || line.Remove(-1, At(1)) || line.Remove(99_999, At(1)));
        Assert.Equal([1, 3, -1], Enumerable.Range(0, 3).Select(_ => line.Take(At(2))));
        Assert.Throws<InvalidOperationException>(() =>
        {
            line.Add(1, Criticality.Critical, Instant.Never, At(3));
            line.Add(1, Criticality.Critical, Instant.Never, At(3));
        });
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Everybody_leaves_exactly_once_in_time_and_in_order_of_class(int seed)
    {
        var random = new Random(seed);
        var options = new UpstreamLineOptions { LengthMax = random.Next(1, 40), NewestFirst = random.Next(2) == 0 };
        var line = New(options);
        var waiting = new Dictionary<int, (Criticality Class, Instant Ends)>();
        var drops = new LineDrop[random.Next(1, 8)];
        var now = At(0);
        for (var i = 0; i < 10_000; i++)
        {
            now += TimeSpan.FromMilliseconds(random.NextDouble() * 6);
            for (int n; (n = line.Expire(now, drops)) > 0;)
            {
                foreach (var drop in drops.AsSpan(0, n))
                {
                    Assert.True(waiting.Remove(drop.Slot, out var gone), $"seed {seed}: {drop.Slot} left twice");
                    Assert.True(gone.Ends <= now);
                }
            }

            Assert.All(waiting.Values, w => Assert.True(w.Ends > now, $"seed {seed}, step {i}: one was forgotten"));
            if (random.Next(3) > 0)
            {
                var slot = Enumerable.Range(0, options.LengthMax + 1).First(s => !waiting.ContainsKey(s));
                var (level, start) = ((Criticality)random.Next(4), now + TimeSpan.FromMilliseconds(random.Next(300)));
                var verdict = line.Add(slot, level, start, now);
                if (verdict.Shed >= 0)
                {
                    Assert.True(waiting.Remove(verdict.Shed, out var shed));
                    Assert.True(shed.Class < level && waiting.Values.All(w => w.Class >= shed.Class));
                }

                if (verdict.Says is LineSays.Full)
                    Assert.True(waiting.Count == options.LengthMax && waiting.Values.All(w => w.Class >= level));
                else
                    waiting.Add(slot, (level, Instant.Earlier(start, now + verdict.Patience)));
            }
            else if (line.Take(now) is var taken and >= 0)
            {
                Assert.True(waiting.Remove(taken, out var it));
                Assert.All(waiting.Values, w => Assert.True(w.Class <= it.Class));
            }

            Assert.Equal(waiting.Count, line.Count);
        }
    }

    [Fact]
    public void Nothing_is_allocated_for_one_who_waits()
    {
        var line = New();
        var drops = new LineDrop[4];
        Round(0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 1; i < 1000; i++)
            Round(i * 7);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Round(double ms)
        {
            line.Add(0, Criticality.Critical, Instant.Never, At(ms));
            line.Add(1, Criticality.Sheddable, Instant.Never, At(ms));
            line.Expire(At(ms), drops);
            line.Take(At(ms + 1));
            line.Take(At(ms + 1));
        }
    }

    private static UpstreamLine New(UpstreamLineOptions? options = null) => new(options ?? new(), At(0));

    private static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));
}

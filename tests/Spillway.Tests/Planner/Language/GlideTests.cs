using Spillway.Planner.Language;

namespace Spillway.Tests.Planner.Language;

/// <summary>An engine that passes over plain steps tells the same as one that looks at each.</summary>
public sealed class GlideTests
{
    public static TheoryData<int, int, bool, int> Cases => new()
    {
        // Seed, steps ahead, chunked prefill, blocks of the cache.
        { 1, 0, true, 90 }, { 2, 1, true, 90 }, { 3, 1, false, 90 }, { 4, 0, false, 5000 }, { 5, 1, true, 5000 },
        { 6, 1, true, 45 }, { 7, 0, true, 45 }, { 8, 1, false, 45 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_instant_and_every_count_is_the_same(int seed, int ahead, bool chunked, int blocks)
    {
        var (slow, quick) = (Engine(ahead, chunked, blocks), Engine(ahead, chunked, blocks));
        var random = new Random(seed);
        var now = 0.0;
        for (var n = 0; n < 400; n++)
        {
            now += -120 * Math.Log(1 - random.NextDouble());
            var (at, ask) = (At(now), new LanguageRequest(At(now), 1 + random.Next(300), 1 + random.Next(90)));
            while (slow.NextAt <= at)
                slow.Step();
            quick.RunUntil(at);
            Assert.Equal(slow.NextAt, quick.NextAt);
            Assert.Equal((slow.Running, slow.Waiting, slow.CacheUsed), (quick.Running, quick.Waiting, quick.CacheUsed));
            Assert.Equal(slow.Arrive(ask).Value, quick.Arrive(ask).Value);
            if (random.Next(10) == 0)
            {
                var left = random.Next(slow.Times.Count);
                slow.Cancel(left);
                quick.Cancel(left);
            }
        }

        while (slow.NextAt != Instant.Never)
            slow.Step();
        quick.RunUntil(Instant.Never);
        Assert.Equal(slow.Times, quick.Times);
        Assert.Equal((slow.Steps, slow.Busy, slow.Preemptions, slow.CachePeak),
            (quick.Steps, quick.Busy, quick.Preemptions, quick.CachePeak));
        Assert.True(blocks > 100 || slow.Preemptions > 0);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Nobody_is_complete_before_it_is_foretold(int seed, int ahead, bool chunked, int blocks)
    {
        var engine = Engine(ahead, chunked, blocks);
        var random = new Random(seed);
        var (now, passed) = (0.0, 0);
        for (var n = 0; n < 300; n++)
        {
            now += -120 * Math.Log(1 - random.NextDouble());
            passed += RunTo(engine, At(now));
            engine.Arrive(new(At(now), 1 + random.Next(300), 1 + random.Next(90)));
        }

        passed += RunTo(engine, Instant.Never);
        Assert.Equal(300, engine.Times.Count(t => t.IsDone));
        Assert.True(passed > 300, $"only {passed} steps were passed over");
    }

    // Step by step, and how many steps ended before the instant that was foretold.
    private static int RunTo(BatchEngine engine, Instant until)
    {
        var passed = 0;
        while (engine.NextAt <= until && engine.NextAt != Instant.Never)
        {
            var nothing = engine.NothingBefore;
            Assert.True(nothing >= engine.NextAt);
            while (engine.NextAt < nothing && engine.NextAt <= until)
            {
                Assert.Empty(engine.Step());
                passed++;
            }

            if (engine.NextAt <= until && engine.NextAt != Instant.Never)
                engine.Step();
        }

        return passed;
    }

    private static BatchEngine Engine(int ahead, bool chunked, int blocks)
    {
        var serving = new LanguageServing
        {
            ScheduleAhead = ahead, SequencesMax = 16, BatchedTokensMax = 256, ChunkedPrefill = chunked,
        };
        return new(new(Known.Llama31X8B, Known.RtxPro6000, serving, new()), serving, new(blocks * 16, blocks, 0, 0));
    }

    private static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));
}

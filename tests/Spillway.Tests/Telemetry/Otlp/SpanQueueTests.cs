using Spillway.Telemetry;
using Spillway.Telemetry.Otlp;

namespace Spillway.Tests.Telemetry.Otlp;

public sealed class SpanQueueTests
{
    private static readonly SpanSampler s_all = new(1, ParentBased: true, TimeSpan.Zero);

    [Fact]
    public void A_full_queue_drops_the_newest_counts_it_and_gives_out_the_rest_in_order()
    {
        var woken = 0;
        var queue = new SpanQueue(capacity: 4, wakeAt: 3, s_all, () => woken++);
        for (var i = 0; i < 7; i++)
            queue.Offer(Named($"{i}"));

        Assert.Equal((3L, 1), (queue.Dropped.Value, woken));
        var batch = new RequestRecord[3];
        Assert.Equal(3, queue.Take(batch));
        Assert.Equal(["0", "1", "2"], batch.Select(r => r.RequestId));
        queue.Offer(Named("7"));
        Assert.Equal(2, queue.Take(batch));
        Assert.Equal(["3", "7"], batch.Take(2).Select(r => r.RequestId));
        Assert.Equal(0, queue.Take(batch));
    }

    [Fact]
    public void Offering_allocates_nothing_also_when_the_queue_is_full()
    {
        var queue = new SpanQueue(capacity: 64, wakeAt: 64, s_all, () => { });
        var record = Named("x");
        queue.Offer(record);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
            queue.Offer(record);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1_001 - 64, queue.Dropped.Value);
    }

    [Fact]
    public void Writers_and_a_reader_at_once_lose_nothing_but_what_is_counted()
    {
        const int Each = 5_000;
        var queue = new SpanQueue(capacity: 128, wakeAt: 64, s_all, () => { });
        var writers = Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < Each; i++)
                queue.Offer(Named("x"));
        })).ToArray();
        var (taken, batch) = (0, new RequestRecord[32]);
        while (!Task.WhenAll(writers).IsCompleted)
            taken += queue.Take(batch);
        for (int more; (more = queue.Take(batch)) > 0;)
            taken += more;

        Assert.Equal(3 * Each, taken + queue.Dropped.Value);
    }

    [Theory]
    [InlineData(1, false, true)] // the caller records: so do we, whatever the ratio
    [InlineData(0, false, false)] // the caller does not
    [InlineData(0, true, true)] // but a failure of ours is kept
    public void A_callers_decision_holds_but_for_failures(int flags, bool failed, bool kept)
    {
        var record = Named("x");
        record.Link = new(1, 2, (byte)flags);
        record.Outcome = failed ? FaultKind.RuntimeFailed : null;

        Assert.Equal(kept, new SpanSampler(flags == 1 ? 0 : 1, ParentBased: true, TimeSpan.Zero).Wants(record));
    }

    [Fact]
    public void Refusals_are_no_failures_and_slow_requests_are_always_kept()
    {
        var record = Named("x");
        record.Outcome = FaultKind.QueueFull;
        Assert.False(new SpanSampler(0, ParentBased: true, TimeSpan.Zero).Wants(record));
        Assert.True(new SpanSampler(0, ParentBased: true, record.Stages.Total).Wants(record));
        Assert.False(new SpanSampler(0, ParentBased: true, record.Stages.Total + TimeSpan.FromTicks(1)).Wants(record));
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.25)]
    [InlineData(0.9)]
    public void About_the_ratio_of_all_traces_is_kept_and_the_same_ones_each_time(double ratio)
    {
        var (sampler, ids) = (new SpanSampler(ratio, ParentBased: true, TimeSpan.Zero), new SpanIds(11));
        var kept = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var record = Named("x");
            record.TraceId = new(ids.Next(), ids.Next());
            var wanted = sampler.Wants(record);
            Assert.Equal(wanted, sampler.Wants(record));
            kept += wanted ? 1 : 0;
        }

        Assert.InRange(kept / 20_000d, ratio - 0.02, ratio + 0.02);
    }

    private static RequestRecord Named(string id)
    {
        var record = Records.Answered();
        record.RequestId = id;
        return record;
    }
}

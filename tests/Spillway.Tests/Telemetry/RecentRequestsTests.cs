using System.Globalization;
using Spillway.Telemetry;

namespace Spillway.Tests.Telemetry;

public class RecentRequestsTests
{
    [Fact]
    public void The_newest_come_first_and_the_oldest_give_way()
    {
        var ring = new RecentRequests(3);
        for (var i = 1; i <= 5; i++)
            ring.Write(new() { RequestId = $"r{i}" });
        Assert.Equal(["r5", "r4", "r3"], ring.List(new()).Select(record => record.RequestId));
        Assert.True(ring.TryFind("r3", out var found));
        Assert.Equal("r3", found.RequestId);
        Assert.False(ring.TryFind("r2", out _));
        Assert.Equal(5, ring.Written);
        Assert.Equal(2, ring.Overwritten);
    }

    [Fact]
    public void An_empty_ring_has_nothing_to_find()
    {
        var ring = new RecentRequests(3);
        Assert.Empty(ring.List(new()));
        Assert.False(ring.TryFind("", out var none));
        Assert.Equal("", none.RequestId);
    }

    [Fact]
    public void A_listing_is_narrowed_by_model_outcome_and_limit()
    {
        var ring = new RecentRequests(10);
        for (var i = 0; i < 9; i++)
        {
            ring.Write(new()
            {
                RequestId = i.ToString(CultureInfo.InvariantCulture), Model = i % 3 == 0 ? "a" : "b",
                Outcome = i % 2 == 0 ? null : FaultKind.QueueFull,
            });
        }

        Assert.Equal(["6", "3", "0"], Ids(new() { Model = "a" }));
        Assert.Equal(["6", "0"], Ids(new() { Model = "a", Outcome = "ok" }));
        Assert.Equal(["7", "5"], Ids(new() { Outcome = "queue_full", Limit = 2 }));
        Assert.Empty(Ids(new() { Limit = 0 }));
        Assert.Empty(Ids(new() { Outcome = "internal" }));

        IEnumerable<string> Ids(RecentFilter filter) => ring.List(filter).Select(record => record.RequestId);
    }

    [Fact]
    public void The_ring_keeps_a_copy_of_its_own()
    {
        var ring = new RecentRequests(2);
        var record = Records.Answered();
        ring.Write(record);
        record.Status = 503;
        record.Decide(DecisionKind.Answered);
        Assert.True(ring.TryFind("r-000042", out var kept));
        Assert.Equal(200, kept.Status);
        Assert.Equal(10, kept.Decisions.Length);
    }

    [Fact]
    public async Task Records_are_never_torn_while_many_write_and_read()
    {
        var ring = new RecentRequests(7);
        var writers = Enumerable.Range(0, 3).Select(writer => Task.Run(() =>
        {
            for (var i = 0; i < 5_000; i++)
            {
                var number = writer * 10_000 + i;
                var record = new RequestRecord
                {
                    RequestId = number.ToString(CultureInfo.InvariantCulture), Rows = number, BytesOut = number,
                };
                for (var k = 0; k < RequestRecord.DecisionsMax; k++)
                    record.Decide(DecisionKind.Placed, number);
                ring.Write(record);
            }
        })).ToArray();
        do
        {
            var seen = ring.List(new());
            Assert.Equal(seen.Count, seen.Select(record => record.RequestId).Distinct().Count());
            foreach (var record in seen)
            {
                Assert.Equal(record.RequestId, record.Rows.ToString(CultureInfo.InvariantCulture));
                Assert.Equal(record.Rows, record.BytesOut);
                foreach (var decision in record.Decisions)
                    Assert.Equal(record.Rows, decision.A);
            }
        }
        while (!writers.All(writer => writer.IsCompleted));
        await Task.WhenAll(writers);
        Assert.Equal(15_000, ring.Written);
        Assert.Equal(7, ring.List(new()).Count);
    }

    [Fact]
    public void What_a_record_cannot_hold_is_counted_and_the_bill_still_sums()
    {
        var record = new RequestRecord();
        for (var i = 0; i < RequestRecord.DecisionsMax + 2; i++)
            record.Decide(DecisionKind.Placed, i);
        const int last = RequestRecord.BillLinesMax + 2;
        for (var i = 1; i <= last; i++)
            record.Charge("line", new(i));
        Assert.Equal(RequestRecord.DecisionsMax, record.Decisions.Length);
        Assert.Equal(2, record.DecisionsOmitted);
        Assert.Equal(RequestRecord.BillLinesMax, record.Bill.Length);
        Assert.Equal(new BillLine("other", new(last + (last - 1) + (last - 2))), record.Bill[^1]);
        Assert.Equal(new Money(last * (last + 1) / 2), record.Total);
    }
}

using Spillway.Store.Ledger;
using Spillway.Tests.Server;

namespace Spillway.Tests.Store.Ledger;

public sealed class LedgerTests
{
    [Fact]
    public async Task A_clean_stop_loses_nothing()
    {
        await using var folder = LedgerFolder.Opened();
        for (var i = 0; i < 10_000; i++)
            Assert.True(folder.Ledger.Offer(folder.Entry(nano: i)));
        await folder.RestartAsync();
        Assert.Equal(default, folder.Ledger.LostBefore);
        var report = await folder.ReportAsync();
        Assert.Equal((10_000, new Money(49_995_000)), (report.Total.Answers, report.Total.Billed));
        Assert.Equal(default, report.Missing);
    }

    [Fact]
    public async Task What_a_kill_loses_is_known_at_the_next_start_to_the_entry_and_the_nano_unit()
    {
        await using var folder = LedgerFolder.Opened();
        folder.Ledger.Offer(folder.Entry(nano: 1));
        await folder.Ledger.FlushAsync();
        for (var i = 0; i < 7; i++)
            folder.Ledger.Offer(folder.Entry(nano: 1000));

        await using var next = folder.AfterKill();
        Assert.Null(next.TryOpen().Fault);
        Assert.Equal(new LedgerLoss(7, 7000), next.Ledger.LostBefore);
        var report = await next.ReportAsync();
        Assert.Equal((1, new LedgerLoss(7, 7000)), (report.Total.Answers, report.Missing));
        await next.RestartAsync();
        Assert.True(next.Ledger.LostBefore == default, "A loss is told once.");
    }

    [Fact]
    public async Task Entries_are_written_when_the_interval_is_over_without_anybody_asking()
    {
        await using var folder = LedgerFolder.Opened();
        folder.Ledger.Offer(folder.Entry());
        Assert.Equal(0, folder.Ledger.Look().Written);
        folder.Time.Advance(TimeSpan.FromMilliseconds(100));
        await TestServer.UntilAsync(() => folder.Ledger.Look().Written > 0);
    }

    [Fact]
    public async Task What_finds_the_queue_full_is_lost_and_counted_and_never_waits()
    {
        await using var folder = LedgerFolder.Opened(new() { QueueLengthMax = 1024 });
        await folder.Ledger.FlushAsync();
        folder.Ledger.AllowPages(0);
        var taken = 0;
        for (var i = 0; i < 1500; i++)
            taken += folder.Ledger.Offer(folder.Entry()) ? 1 : 0;
        Assert.Equal(1024, taken);
        Assert.Equal(476, folder.Ledger.Look().Lost);
        Assert.Null(folder.Ledger.Refusal);

        await folder.Ledger.FlushAsync();
        folder.Ledger.AllowPages(-1);
        var report = await folder.ReportAsync();
        Assert.Equal(1024, report.Total.Answers);
        Assert.Equal(new LedgerLoss(476, 47_600), report.Missing);
        await folder.RestartAsync();
        Assert.True(folder.Ledger.LostBefore == default, "What was counted is not counted again.");
    }

    [Theory]
    [InlineData(LedgerFailure.Serve)]
    [InlineData(LedgerFailure.Refuse)]
    public async Task A_full_disk_is_told_and_does_what_was_declared_until_there_is_room(LedgerFailure onFailure)
    {
        await using var folder = LedgerFolder.Opened(new() { OnFailure = onFailure });
        await folder.Ledger.FlushAsync();
        folder.Ledger.AllowPages(0);
        for (var i = 0; i < 2000; i++)
            folder.Ledger.Offer(folder.Entry(tenant: $"t{i}"));
        await folder.Ledger.FlushAsync();
        var state = folder.Ledger.Look();
        Assert.Contains("is full", state.Trouble!.Message, StringComparison.Ordinal);
        Assert.True(state.Failures >= 1);
        Assert.Equal(onFailure is LedgerFailure.Refuse, folder.Ledger.Refusal is { Kind: FaultKind.StoreFailed });
        Assert.Contains("is full", Assert.Single(folder.Changes)!.Message, StringComparison.Ordinal);

        folder.Ledger.AllowPages(-1);
        Assert.Equal(2000, (await folder.ReportAsync()).Total.Answers);
        Assert.Null(folder.Ledger.Refusal);
        Assert.Null(folder.Ledger.Look().Trouble);
        Assert.Equal(2, folder.Changes.Count);
        Assert.Null(folder.Changes[1]);
    }

    [Fact]
    public async Task A_queue_that_fills_up_refuses_before_it_is_full_where_that_is_declared()
    {
        await using var folder = LedgerFolder.Opened(new() { OnFailure = LedgerFailure.Refuse,
            QueueLengthMax = 65_536 });
        await folder.Ledger.FlushAsync();
        folder.Ledger.AllowPages(0);
        for (var i = 0; i < 60_000; i++)
            Assert.True(folder.Ledger.Offer(folder.Entry()), "Who is inside already still finds room.");
        Assert.Equal(FaultKind.StoreFailed, folder.Ledger.Refusal?.Kind);
        folder.Ledger.AllowPages(-1);
        await folder.Ledger.FlushAsync();
        Assert.Null(folder.Ledger.Refusal);
    }

    [Fact]
    public async Task Entries_of_many_threads_are_all_there_once()
    {
        await using var folder = LedgerFolder.Opened(new() { QueueLengthMax = 1 << 17 });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(t => Task.Run(() =>
        {
            for (var i = 0; i < 10_000; i++)
                Assert.True(folder.Ledger.Offer(folder.Entry($"t{t}", nano: i)));
        })));
        var report = await folder.ReportAsync();
        Assert.Equal(8, report.Groups.Count);
        Assert.All(report.Groups, g => Assert.Equal((10_000, 49_995_000), (g.Answers, g.Total.Nano)));
    }

    [Fact]
    public async Task An_entry_costs_no_memory()
    {
        await using var folder = LedgerFolder.Opened();
        var entry = folder.Entry();
        folder.Ledger.Offer(entry);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            folder.Ledger.Offer(entry);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}

using Microsoft.Data.Sqlite;
using Spillway.Store;
using Spillway.Store.Ledger;

namespace Spillway.Tests.Store.Ledger;

public sealed class LedgerFileTests
{
    [Theory]
    [InlineData("this is no database, but it is long enough to be one at first sight: 0123456789 0123456789")]
    [InlineData("flip")]
    public async Task A_damaged_database_is_refused_by_name_and_left_as_it_is(string damage)
    {
        await using var folder = LedgerFolder.Opened();
        for (var i = 0; i < 500; i++)
            folder.Ledger.Offer(folder.Entry(tenant: $"tenant {i}"));
        await folder.StopAsync();
        var file = folder.PathOf("ledger.db");
        if (damage == "flip")
        {
            await using var open = File.OpenWrite(file);
            open.Position = 4096 + 8;
            open.Write(Enumerable.Repeat((byte)0xff, 2000).ToArray());
        }
        else
        {
            File.WriteAllText(file, damage);
        }

        var before = File.ReadAllBytes(file);
        var fault = folder.TryOpen().Fault;
        Assert.Equal(FaultKind.StoreFailed, fault?.Kind);
        Assert.Contains(file, fault!.Message, StringComparison.Ordinal);
        Assert.Contains("damaged", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(file));
    }

    [Fact]
    public async Task A_second_server_on_one_folder_is_told_who_is_in_the_way()
    {
        await using var folder = LedgerFolder.Opened();
        Assert.False(StateFolder.Open(Path.GetDirectoryName(folder.PathOf("x"))!).TryGet(out _, out var fault));
        Assert.Contains("One server at a time", fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_currency_is_refused_because_its_sums_would_mean_nothing()
    {
        await using var folder = LedgerFolder.Opened();
        await folder.StopAsync();
        var fault = folder.TryOpen("USD").Fault;
        Assert.Contains("counts in EUR, and prices.currency is USD", fault!.Message, StringComparison.Ordinal);
        Assert.Null(folder.TryOpen("EUR").Fault);
    }

    [Fact]
    public async Task Old_entries_go_and_their_sums_stay()
    {
        await using var folder = LedgerFolder.Opened(new() { EntriesMax = 1000, QueueLengthMax = 1024 });
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 1000; i++)
                Assert.True(folder.Ledger.Offer(folder.Entry()));
            await folder.Ledger.FlushAsync();
        }

        Assert.Equal(1000L, Ask(folder, "SELECT COUNT(*) FROM entries"));
        Assert.Equal(2001L, Ask(folder, "SELECT MIN(seq) FROM entries"));
        Assert.Equal(3000, (await folder.ReportAsync()).Total.Answers);
    }

    [Fact]
    public async Task Only_so_many_hours_are_kept_the_newest()
    {
        await using var folder = LedgerFolder.Opened(new() { HoursMax = 48 });
        for (var hour = 0; hour < 60; hour++)
        {
            folder.Ledger.Offer(folder.Entry(nano: 1, hours: hour));
            folder.Ledger.Offer(folder.Entry(tenant: "other", nano: 1, hours: hour));
            await folder.Ledger.FlushAsync();
        }

        Assert.Equal(48L, Ask(folder, "SELECT COUNT(DISTINCT hour) FROM hours"));
        Assert.Equal(96L, Ask(folder, "SELECT COUNT(*) FROM hours"));
        Assert.Equal(498_705L + 12, Ask(folder, "SELECT MIN(hour) FROM hours"));
    }

    [Theory]
    [InlineData(365 * 24)]
    [InlineData(-365 * 24)]
    public async Task A_clock_that_jumps_deletes_nothing_and_counts_nothing_twice(int hours)
    {
        await using var folder = LedgerFolder.Opened();
        folder.Ledger.Offer(folder.Entry(nano: 5));
        await folder.Ledger.FlushAsync();
        folder.Ledger.Offer(folder.Entry(nano: 7, hours: hours));
        await folder.Ledger.FlushAsync();
        folder.Ledger.Offer(folder.Entry(nano: 11));
        await folder.RestartAsync();
        Assert.Equal(23L, Ask(folder, "SELECT SUM(time_nano) FROM hours"));
        Assert.Equal(3L, Ask(folder, "SELECT COUNT(*) FROM entries"));
        Assert.Equal(16, (await folder.ReportAsync()).Total.Billed.Nano);
    }

    [Fact]
    public async Task A_person_can_read_the_entries_with_any_tool()
    {
        await using var folder = LedgerFolder.Opened();
        folder.Ledger.Offer(folder.Entry(kind: EntryKind.Waste));
        await folder.Ledger.FlushAsync();
        Assert.Equal("waste acme k1 ocr line-ocr vision cpu 2026-11-22T09:00:00.000Z", Ask(folder,
            "SELECT kind || ' ' || tenant || ' ' || key || ' ' || route || ' ' || model || ' ' || owner || ' ' || "
            + "hardware || ' ' || at FROM ledger"));
    }

    private static object? Ask(LedgerFolder folder, string sql)
    {
        var file = folder.PathOf("ledger.db");
        using var connection = new SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}

using Spillway.Store.Ledger;

namespace Spillway.Tests.Store.Ledger;

public sealed class CostReportTests
{
    [Theory]
    [InlineData("tenant", "globex 300|acme 210| 90")]
    [InlineData("model", "line-ocr 600")]
    [InlineData("owner", "vision 600")]
    [InlineData("route", "ocr 600")]
    [InlineData("key", "k1 600")]
    [InlineData("day", "2026-11-22 500|2026-11-23 100")]
    public async Task Costs_are_added_up_by_each_group(string word, string expected)
    {
        var by = Enum.Parse<CostGroup>(word, ignoreCase: true);
        await using var folder = LedgerFolder.Opened();
        folder.Ledger.Offer(folder.Entry("acme", 200));
        folder.Ledger.Offer(folder.Entry("acme", 10, kind: EntryKind.Waste));
        folder.Ledger.Offer(folder.Entry("globex", 200));
        folder.Ledger.Offer(folder.Entry("globex", 100, hours: 20));
        folder.Ledger.Offer(folder.Entry("", 90, kind: EntryKind.Idle));
        var report = await folder.ReportAsync(by);
        Assert.Equal(expected, string.Join('|', report.Groups.Select(g => $"{g.Name} {g.Total.Nano}")));
        Assert.Equal((600, 500, 10, 90), (
            report.Total.Total.Nano, report.Total.Billed.Nano, report.Total.Waste.Nano, report.Total.Idle.Nano));
        Assert.Equal((3, 1), (report.Total.Answers, report.Total.Wasted));
    }

    [Fact]
    public async Task A_filter_counts_only_what_it_names()
    {
        await using var folder = LedgerFolder.Opened();
        folder.Ledger.Offer(folder.Entry("acme", 1));
        folder.Ledger.Offer(folder.Entry("globex", 2));
        await folder.Ledger.FlushAsync();
        var now = folder.Time.GetUtcNow();
        var query = new CostQuery(CostGroup.Model, now, now.AddHours(1));
        Assert.Equal(2, folder.Ledger.Read(query with { Tenant = "globex" }).Value.Total.Total.Nano);
        Assert.Equal(0, folder.Ledger.Read(query with { Tenant = "'; DROP TABLE hours; --" }).Value.Total.Total.Nano);
        Assert.Equal(3, folder.Ledger.Read(query with { Owner = "vision" }).Value.Total.Total.Nano);
    }

    [Fact]
    public async Task Hours_before_and_behind_the_question_do_not_count()
    {
        await using var folder = LedgerFolder.Opened();
        for (var hour = -2; hour <= 2; hour++)
            folder.Ledger.Offer(folder.Entry(nano: 1, hours: hour));
        await folder.Ledger.FlushAsync();
        var now = folder.Time.GetUtcNow();
        Assert.Equal(2, folder.Ledger.Read(new(CostGroup.Day, now.AddHours(-1), now.AddHours(1)))
            .Value.Total.Total.Nano);
    }

    [Fact]
    public async Task The_busiest_hour_is_found_among_those_that_were_watched_for_long_enough()
    {
        await using var folder = LedgerFolder.Opened();
        foreach (var (hour, busy, idle) in ((int, long, long)[])[(0, 100, 900), (1, 300, 700), (2, 9, 1)])
        {
            folder.Ledger.Offer(folder.Entry(nano: busy, hours: hour));
            folder.Ledger.Offer(folder.Entry("", nano: idle, hours: hour, kind: EntryKind.Idle));
        }

        var hardware = Assert.Single((await folder.ReportAsync()).Hardware);
        Assert.Equal(("cpu", 0.3), (hardware.Name, hardware.PeakBusyShare));
        Assert.Equal((409, 1601), (hardware.All.BilledTime.Nano, hardware.All.Idle.Nano));
        Assert.Equal("line-ocr", Assert.Single(hardware.Models).Name);
    }

    [Fact]
    public async Task More_groups_than_a_report_holds_are_added_up_in_one()
    {
        await using var folder = LedgerFolder.Opened();
        for (var i = 0; i < LedgerReader.GroupsMax + 5; i++)
            folder.Ledger.Offer(folder.Entry($"t{i}", nano: 10));
        var report = await folder.ReportAsync();
        Assert.Equal((LedgerReader.GroupsMax + 1, 5), (report.Groups.Count, report.GroupsOmitted));
        Assert.Equal(("(others)", 50), (report.Groups[^1].Name, report.Groups[^1].Total.Nano));
    }
}

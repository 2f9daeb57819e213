using System.Globalization;
using Spillway.Policies.Budgets;

namespace Spillway.Tests.Policies.Budgets;

public sealed class BudgetWindowTests
{
    public static TheoryData<string> Zones =>
    [
        "UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Beirut",
        "America/Havana",
    ];

    [Theory]
    [InlineData(WindowLength.Day, "Europe/Zurich", "2026-03-29T10:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z")]
    [InlineData(WindowLength.Day, "Europe/Zurich", "2026-10-25T10:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z")]
    [InlineData(WindowLength.Month, "Europe/Zurich", "2026-10-25T10:00Z", "2026-09-30T22:00Z", "2026-10-31T23:00Z")]
    [InlineData(WindowLength.Month, "UTC", "2026-02-28T23:59Z", "2026-02-01T00:00Z", "2026-03-01T00:00Z")]
    [InlineData(WindowLength.Week, "UTC", "2026-11-22T12:00Z", "2026-11-16T00:00Z", "2026-11-23T00:00Z")]
    [InlineData(WindowLength.Hour, "Asia/Kolkata", "2026-11-22T12:10Z", "2026-11-22T11:30Z", "2026-11-22T12:30Z")]
    // The hour from two to three comes twice, and is two windows.
    [InlineData(WindowLength.Hour, "Europe/Zurich", "2026-10-25T00:30Z", "2026-10-25T00:00Z", "2026-10-25T01:00Z")]
    [InlineData(WindowLength.Hour, "Europe/Zurich", "2026-10-25T01:30Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z")]
    // Havana goes from 0:00 to 1:00: its day begins with the change. In autumn midnight comes twice; the first counts.
    [InlineData(WindowLength.Day, "America/Havana", "2026-03-08T12:00Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z")]
    [InlineData(WindowLength.Day, "America/Havana", "2026-11-01T12:00Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z")]
    public void Calendar_windows_begin_and_end_with_their_zone(
        WindowLength length, string zone, string at, string start, string end)
    {
        var cell = new BudgetWindow(length, WindowKind.Calendar, TimeZoneInfo.FindSystemTimeZoneById(zone))
            .CellOf(Ticks(at));
        Assert.Equal((Ticks(start), Ticks(end)), (cell.Start, cell.End));
    }

    [Theory]
    [MemberData(nameof(Zones))]
    public void Windows_follow_each_other_without_gap_or_overlap_through_years(string zone)
    {
        foreach (var length in Enum.GetValues<WindowLength>())
        {
            var window = new BudgetWindow(length, WindowKind.Calendar, TimeZoneInfo.FindSystemTimeZoneById(zone));
            var steps = length is WindowLength.Minute ? 200_000 : 20_000;
            var at = Ticks("2026-01-01T00:00Z");
            for (var i = 0; i < steps && at < Ticks("2029-01-01T00:00Z"); i++)
            {
                var cell = window.CellOf(at);
                Assert.True(cell.Has(at), $"{length} {zone}: {new DateTime(at, DateTimeKind.Utc):O} lies outside");
                Assert.Equal(cell, window.CellOf(cell.Start));
                Assert.Equal(cell, window.CellOf(cell.End - 1));
                at = cell.End;
            }
        }
    }

    [Fact]
    public void Rolling_windows_are_cut_into_even_parts()
    {
        var window = new BudgetWindow(WindowLength.Hour, WindowKind.Rolling, TimeZoneInfo.Utc);
        var cell = window.CellOf(Ticks("2026-11-22T12:10Z"));
        Assert.Equal(TimeSpan.TicksPerHour / BudgetWindow.Parts, cell.End - cell.Start);
        Assert.True(cell.Has(Ticks("2026-11-22T12:10Z")));
    }

    private static long Ticks(string at) => DateTimeOffset.Parse(at, CultureInfo.InvariantCulture).UtcTicks;
}

using Microsoft.Extensions.Logging;
using Spillway.Engine;
using Spillway.Engine.Billing;
using Spillway.Policies.Pricing;
using Spillway.Store.Ledger;
using Spillway.Telemetry;
using Spillway.Tests.Store.Ledger;

namespace Spillway.Tests.Engine.Billing;

public sealed class CostWatchTests
{
    [Fact]
    public async Task A_threshold_tells_once_for_each_hour_and_day_in_which_it_is_reached()
    {
        await using var folder = LedgerFolder.Opened();
        await using var watch = Start(folder, out var log, ("all", new() { PerHour = 1, PerDay = 3 }));
        await SpendAsync(folder, watch, 0.9, "acme");
        Assert.Empty(log.Lines);
        await SpendAsync(folder, watch, 0.2, "acme");
        Assert.Contains("Cost threshold all: 1.100000000 EUR in the hour", Assert.Single(log.Lines),
            StringComparison.Ordinal);
        await SpendAsync(folder, watch, 0.2, "acme");
        Assert.Single(log.Lines);
        folder.Time.Advance(TimeSpan.FromHours(1));
        await SpendAsync(folder, watch, 2, "acme");
        Assert.Equal(3, log.Lines.Count);
        Assert.Contains(log.Lines, l => l.Contains("3.300000000 EUR in the day", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_threshold_of_a_tenant_counts_only_that_tenant()
    {
        await using var folder = LedgerFolder.Opened();
        await using var watch = Start(folder, out var log, ("acme", new() { Tenant = "acme", PerHour = 1 }));
        await SpendAsync(folder, watch, 50, "globex");
        Assert.Empty(log.Lines);
        await SpendAsync(folder, watch, 1, "acme");
        Assert.Single(log.Lines);
    }

    [Fact]
    public async Task Thresholds_and_the_ledger_are_on_the_metrics_page()
    {
        await using var folder = LedgerFolder.Opened();
        var registry = new InstrumentRegistry();
        await using var watch = Start(folder, out _, registry, ("all", new() { PerDay = 3 }));
        await SpendAsync(folder, watch, 1.5, "acme");
        var page = new System.Buffers.ArrayBufferWriter<byte>();
        registry.WriteTo(page);
        var text = System.Text.Encoding.UTF8.GetString(page.WrittenSpan);
        Assert.Contains("spillway_cost_spent{alert=\"all\",window=\"day\"} 1.5\n", text, StringComparison.Ordinal);
        Assert.Contains("spillway_cost_threshold{alert=\"all\",window=\"day\"} 3\n", text, StringComparison.Ordinal);
        Assert.Contains("spillway_ledger_written_total 1\n", text, StringComparison.Ordinal);
        Assert.Contains("spillway_ledger_lost_total{reason=\"queue_full\"} 0\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_refuses_closes_the_gate_and_one_that_serves_does_not()
    {
        foreach (var onFailure in Enum.GetValues<LedgerFailure>())
        {
            await using var folder = LedgerFolder.Opened(new() { OnFailure = onFailure });
            var stores = new StoreWatch { Ledger = folder.Ledger };
            await folder.Ledger.FlushAsync();
            Assert.Null(stores.Refusal);
            folder.Ledger.AllowPages(0);
            for (var i = 0; i < 2000; i++)
                folder.Ledger.Offer(folder.Entry($"t{i}"));
            await folder.Ledger.FlushAsync();
            Assert.Equal(onFailure is LedgerFailure.Refuse ? FaultKind.StoreFailed : null, stores.Refusal?.Kind);
            folder.Ledger.AllowPages(-1);
        }
    }

    private static CostWatch Start(LedgerFolder folder, out LogLines log, params (string, CostAlertOptions)[] alerts) =>
        Start(folder, out log, new InstrumentRegistry(), alerts);

    private static CostWatch Start(
        LedgerFolder folder, out LogLines log, InstrumentRegistry registry, params (string Name,
            CostAlertOptions Alert)[] alerts)
    {
        log = new();
        var options = new PricesOptions { Currency = "EUR", Alerts = alerts.ToDictionary(a => a.Name, a => a.Alert) };
        var costs = new Costs(PriceList.From(options), new Clock(folder.Time)) { Ledger = folder.Ledger };
        return CostWatch.Start(costs, options, registry, folder.Time, log);
    }

    private static async Task SpendAsync(LedgerFolder folder, CostWatch watch, double units, string tenant)
    {
        folder.Ledger.Offer(folder.Entry(tenant, Amounts.Of(units).Nano));
        await folder.Ledger.FlushAsync();
        watch.Look();
    }

    /// <summary>Keeps warnings and worse.</summary>
    private sealed class LogLines : ILogger<CostWatch>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
                string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}

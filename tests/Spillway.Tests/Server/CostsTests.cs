using System.Globalization;
using System.Text.Json;
using Spillway.App.Cli;
using Spillway.Tests.Config;

namespace Spillway.Tests.Server;

/// <summary>Prices, bills and the ledger as a caller and an operator meet them.</summary>
public sealed class CostsTests
{
    private const string Prices = """
        prices:
          currency: EUR
          devices: { simulated: [{ from: 2026-01-01, perHour: 3.6 }] }
          models: { echo: [{ from: 2026-01-01, perRow: 0.00001, perRequest: 0.000002 }] }

        """;

    [Fact]
    public async Task Header_record_and_ledger_tell_the_same_bill()
    {
        await using var server = await StartAsync(Prices + "ledger: {}\n");
        var told = 0L;
        for (var i = 0; i < 20; i++)
        {
            var reply = await server.InferRowAsync("echo", id: $"r{i}");
            var header = Nano(reply.Header("X-Spillway-Cost"));
            var record = await server.RecordAsync($"r{i}");
            Assert.Equal(header, Nano(record.GetProperty("bill_total").GetString()));
            Assert.Equal(header, record.GetProperty("bill").EnumerateArray().Sum(l => l.GetProperty("nano")
                .GetInt64()));
            Assert.Equal(["time", "rows", "request"], record.GetProperty("bill").EnumerateArray()
                .Select(l => l.GetProperty("label").GetString()!));
            told += header;
        }

        JsonElement group = default;
        await TestServer.UntilAsync(async () =>
        {
            var costs = (await server.GetAsync("/admin/v1/costs?by=route")).Json;
            group = costs.GetProperty("groups").EnumerateArray().Single(g => g.GetProperty("name")
                .GetString() == "echo");
            return group.GetProperty("answers").GetInt32() >= 20;
        });
        Assert.Equal((20, told), (group.GetProperty("answers").GetInt32(), Nano(group.GetProperty("billed")
            .GetString())));
    }

    [Fact]
    public async Task A_caller_who_leaves_pays_nothing_and_what_ran_for_it_is_the_models_waste()
    {
        await using var server = await StartAsync(
            Prices + "ledger: {}\n", TestServer.Simulated("{ 1: 60000 }",
                more: "owner: vision\nbatching: { batchRowsMax: 1 }"));
        using var leave = new CancellationTokenSource();
        var running = server.InferRowAsync("echo", id: "left", cancellation: leave.Token);
        await server.UntilModelAsync("echo", "active_runs", 1);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        JsonElement group = default;
        await TestServer.UntilAsync(async () =>
        {
            var costs = (await server.GetAsync("/admin/v1/costs?by=owner")).Json;
            group = costs.GetProperty("groups").EnumerateArray().Single(g => g.GetProperty("name")
                .GetString() == "vision");
            return group.GetProperty("wasted_requests").GetInt32() == 1;
        });
        Assert.True(Nano(group.GetProperty("waste").GetString()) > 0);
        Assert.Equal((0, 0), (group.GetProperty("answers").GetInt32(), Nano(group.GetProperty("billed").GetString())));
        var record = await server.RecordAsync("left");
        Assert.Empty(record.GetProperty("bill").EnumerateArray());
    }

    [Fact]
    public async Task Bills_waste_and_idle_time_are_together_what_the_hardware_cost()
    {
        await using var server = await StartAsync(Prices + "ledger: {}\n",
            TestServer.Simulated(more: "  faultRate: 0.5"));
        var began = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 50; i++)
            await server.InferRowAsync("echo");
        var first = (await server.GetAsync("/admin/v1/costs")).Json.GetProperty("hardware")[0];
        var second = (await server.GetAsync("/admin/v1/costs")).Json.GetProperty("hardware")[0];
        // No more than the time since the start at 0.001 a second: the server cannot have stood for longer.
        var most = TimeProvider.System.GetElapsedTime(began).TotalSeconds * 1_000_000 * 1.05;
        var (busy, spent) = (Nano(first.GetProperty("busy").GetString()), Spent(second) - Spent(first));
        Assert.True(busy > 0);
        Assert.InRange(spent, 1, most);

        static long Spent(JsonElement hardware) =>
            Nano(hardware.GetProperty("busy").GetString()) + Nano(hardware.GetProperty("idle").GetString());
    }

    [Fact]
    public async Task Without_prices_nothing_is_told_and_no_folder_is_made()
    {
        var folder = TestServer.Folder("", ("echo", TestServer.Simulated()));
        await using var server = await TestServer.StartAsync(folder);
        var reply = await server.InferRowAsync("echo");
        Assert.Null(reply.Header("X-Spillway-Cost"));
        Assert.False(Directory.Exists(folder.PathOf("state")));
        Assert.DoesNotContain("spillway_cost", (await server.GetAsync("/metrics")).Text, StringComparison.Ordinal);
        var costs = await server.GetAsync("/admin/v1/costs");
        Assert.Contains("Add the sections prices and ledger", costs.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_runtime_declares_of_itself_is_in_the_record_and_in_no_header()
    {
        await using var server = await TestServer.StartAsync(
            TestServer.Folder("", ("echo",
                TestServer.Simulated(more: "  priceNanoPerRun: 700\n  priceNanoPerRow: 30"))));
        Assert.Null((await server.InferRowAsync("echo", id: "declared")).Header("X-Spillway-Cost"));
        Assert.Equal("0.000000730", (await server.RecordAsync("declared")).GetProperty("bill_total").GetString());
    }

    [Fact]
    public async Task Prices_without_a_ledger_bill_and_make_no_folder()
    {
        var folder = Folder(Prices, TestServer.Simulated());
        await using var server = await TestServer.StartAsync(folder);
        Assert.True(Nano((await server.InferRowAsync("echo")).Header("X-Spillway-Cost")) >= 12_000);
        Assert.False(Directory.Exists(folder.PathOf("state")));
        await TestServer.UntilAsync(async () => (await server.GetAsync("/metrics")).Text.Contains(
            "spillway_cost_total{deployment=\"echo\",owner=\"\",kind=\"bill\"} 1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_model_on_a_device_without_a_price_is_not_served_for_free()
    {
        await using var server = await StartAsync(
            "prices:\n  currency: EUR\n  devices: { cuda: [{ from: 2026-01-01, perHour: 1 }] }\n");
        var model = await server.ModelAsync("echo");
        Assert.Equal("UNAVAILABLE", model.GetProperty("state").GetString());
        Assert.Contains("No price covers echo on the device simulated:echo:0", model.GetProperty("reason").GetString(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("by=colour", "Use one of: tenant, model, owner, route, key, day.")]
    [InlineData("by=3", "no group '3'")]
    [InlineData("from=yesterday", "'yesterday' is no time")]
    [InlineData("from=2026-02-01&to=2026-01-01", "is before from")]
    public async Task A_question_that_makes_no_sense_is_told_what_would(string query, string says)
    {
        await using var server = await StartAsync(Prices + "ledger: {}\n");
        var reply = await server.GetAsync($"/admin/v1/costs?{query}");
        Assert.Equal(400, reply.Status);
        Assert.Contains(says, reply.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_table_for_people_has_every_group_the_curve_and_the_right_size()
    {
        await using var server = await StartAsync(Prices + "ledger: {}\n", TestServer.Simulated(more: "owner: vision"));
        await server.InferRowAsync("echo");
        JsonElement report = default;
        await TestServer.UntilAsync(async () =>
            (report = (await server.GetAsync("/admin/v1/costs?by=owner")).Json).GetProperty("total")
                .GetProperty("answers").GetInt32() == 1);
        var text = CostsView.Text(report);
        Assert.Contains("Costs in EUR from ", text, StringComparison.Ordinal);
        // Nothing here has tokens.
        Assert.DoesNotContain("tokens", text, StringComparison.Ordinal);
        Assert.Matches(@"\n  vision +1 +1 +0\.0000", text);
        Assert.Matches(@"\n  echo: at [0-9.]+ % an answer costs 0\.\d+, [0-9.]+ times what it would at 95 %", text);
        Assert.Contains("<- here", text, StringComparison.Ordinal);
        Assert.Contains("Right size: ", text, StringComparison.Ordinal);
    }

    private static Task<TestServer> StartAsync(string more, string? model = null) =>
        TestServer.StartAsync(Folder(more, model ?? TestServer.Simulated()));

    private static ConfigFolder Folder(string more, string model)
    {
        var folder = TestServer.Folder("", ("echo", model));
        File.AppendAllText(folder.PathOf("spillway.yaml"), more);
        return folder;
    }

    private static long Nano(string? units) => (long)(decimal.Parse(units!,
        CultureInfo.InvariantCulture) * 1_000_000_000);
}

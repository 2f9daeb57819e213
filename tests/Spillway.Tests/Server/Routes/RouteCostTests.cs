using System.Globalization;
using System.Text.Json;
using Spillway.Tests.Config;
using Spillway.Tests.Server.Upstreams;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.Routes;

/// <summary>
/// What answers of routes cost: what ran in vain, what was elsewhere, what was remembered.
/// This file is long because every way in which money leaves a route stands in one list.
/// </summary>
public sealed class RouteCostTests
{
    private const string Prices = """
        prices:
          currency: EUR
          devices: { simulated: [{ from: 2026-01-01, perHour: 3.6 }] }
          models:
            a: [{ from: 2026-01-01, perRow: 0.001 }]
            b: [{ from: 2026-01-01, perRow: 0.0001 }]

        """;

    [Fact]
    public async Task What_a_failed_step_ran_is_its_models_waste_and_the_answers_bill_is_the_next_ones()
    {
        await using var server = await StartAsync(
            "[{ model: a, checks: [{ confidenceMin: 0.9 }] }, { model: b }]", "");
        var reply = (await server.AskAsync("0.1,0.2,0.3,0.4", ("X-Request-Id", "unfit"))).By("b", "answer_unfit");
        var billed = Nano(reply.Header("X-Spillway-Cost"));
        Assert.True(billed >= 100_000);
        var record = await server.RecordAsync("unfit");
        Assert.Equal(billed, Nano(record.GetProperty("bill_total").GetString()));
        Assert.Contains("on nobody's bill", record.Says("wasted"), StringComparison.Ordinal);

        var groups = await CostsAsync(server, "model", 1, 1);
        Assert.Equal((0, 1), (Count(groups["a"], "answers"), Count(groups["a"], "wasted_requests")));
        // What ran, and no row of it: that was not delivered.
        Assert.InRange(Nano(groups["a"].GetProperty("waste").GetString()), 1, 999_999);
        Assert.Equal((1, billed), (Count(groups["b"], "answers"), Nano(groups["b"].GetProperty("billed").GetString())));
        Assert.Equal(0, Nano(groups["b"].GetProperty("waste").GetString()));
    }

    [Fact]
    public async Task Chain_without_an_answer_wastes_once_for_each_step_that_ran()
    {
        await using var server = await StartAsync(RoutedServer.Two, "", RoutedServer.Broken, RoutedServer.Broken);
        (await server.AskAsync("1,2,3,4", ("X-Request-Id", "none"))).Is(500, "runtime_failed");
        Assert.Empty((await server.RecordAsync("none")).GetProperty("bill").EnumerateArray());
        var groups = await CostsAsync(server, "model", 0, 2);
        Assert.All(["a", "b"], name => Assert.Equal(1, Count(groups[name], "wasted_requests")));
    }

    [Fact]
    public async Task Run_for_the_cache_alone_is_the_models_cost_and_on_nobodys_bill()
    {
        await using var server = await StartAsync(
            "[{ model: a }]", RoutedServer.Cache("ttlMs: 1, staleWhileRevalidateMs: 600000"));
        await TestServer.UntilAsync(async () => (await server.AskAsync()).Header("X-Spillway-Cache") == "stale");
        var groups = await CostsAsync(server, "model", 2, 1);
        Assert.True(Nano(groups["a"].GetProperty("waste").GetString()) > 0);
    }

    [Fact]
    public async Task Answer_of_an_upstream_costs_what_was_declared_and_one_that_did_not_come_costs_its_time()
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        await using var server = await UpstreamAsync(
            rogue, "    gpu: [{ from: 2026-01-01, perRequest: 0.02, perRow: 0.001, perHour: 3600 }]\n");
        var reply = (await server.AskAsync("1,2,3,4", ("X-Request-Id", "paid"))).By("gpu");
        var billed = Nano(reply.Header("X-Spillway-Cost"));
        Assert.True(billed > 21_000_000, $"{billed}");
        Assert.Equal(billed, Nano((await server.RecordAsync("paid")).GetProperty("bill_total").GetString()));
        rogue.Infer = RogueServer.Status(500);
        (await server.AskAsync()).By("b", "upstream_failed");
        rogue.Infer = RogueServer.Bytes([.. "HTTP/1.1 429 Busy\r\nContent-Length: 0\r\n\r\n"u8]);
        (await server.AskAsync()).By("b", "upstream_throttled");

        var groups = await CostsAsync(server, "model", 3, 1);
        Assert.Equal(billed, Nano(groups["gpu"].GetProperty("billed").GetString()));
        Assert.Equal((1, 1), (Count(groups["gpu"], "answers"), Count(groups["gpu"], "wasted_requests")));
        Assert.True(Nano(groups["gpu"].GetProperty("waste").GetString()) > 0);
        Assert.Equal(2, Count(groups["b"], "answers"));
    }

    [Fact]
    public async Task Message_after_a_failure_is_an_answer_of_no_model()
    {
        await using var server = await StartAsync(
            "[{ model: a }, { kind: message, message: later }]", "", RoutedServer.Broken);
        (await server.AskAsync("1,2,3,4", ("X-Request-Id", "said"))).By("message", "runtime_failed");
        var record = await server.RecordAsync("said");
        Assert.Equal("", record.GetProperty("deployment").GetString());
        Assert.DoesNotContain("batched", MetadataTests.Decisions(record));
        record.AssertStagesSum();
        var groups = await CostsAsync(server, "model", 1, 1);
        Assert.Equal((0, 1), (Count(groups["a"], "answers"), Count(groups["a"], "wasted_requests")));
        Assert.Equal((1, 0L), (Count(groups[""], "answers"), Nano(groups[""].GetProperty("billed").GetString())));
    }

    [Theory]
    [InlineData("0.005", 429)]
    [InlineData("1", 200)]
    public async Task Reservation_is_for_the_time_that_the_route_gives(string most, int status)
    {
        // Thirty seconds of the hardware, and not the quarter of a second that the model gives by itself.
        await using var server = await StartAsync(
            RoutedServer.Two, "deadlineMs: 30000", TestServer.Simulated(more: "deadline: { floorMs: 250 }"));
        var reply = await server.AskAsync("1,2,3,4", ("X-Spillway-Max-Cost", most));
        Assert.True(reply.Status == status, reply.Text);
    }

    [Fact]
    public async Task Reservation_for_an_upstream_is_not_cut_to_the_longest_time_of_a_model_before_it()
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        await using var server = await UpstreamAsync(
            rogue, "    gpu: [{ from: 2026-01-01, perHour: 3600 }]\n", "", "[{ model: b }, { model: gpu }]",
            TestServer.Simulated(more: "deadline: { maxMs: 1000 }"));
        var body = TestServer.Row("\"timeout\":60000000");
        (await server.InferAsync("r", body, ("X-Spillway-Max-Cost", "59"))).Is(429, "budget_exhausted");
        (await server.InferAsync("r", body, ("X-Spillway-Max-Cost", "61"))).By("b");
    }

    [Fact]
    public async Task Budget_reserves_for_an_upstream_what_it_may_cost_and_goes_to_the_model_here()
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        await using var server = await UpstreamAsync(
            rogue, "    gpu: [{ from: 2026-01-01, perRequest: 0.02 }]\n",
            "budgets: { elsewhere: { limit: 0.05, models: [gpu] } }\n", "[{ model: gpu, on: [budget] }, { model: b }]");
        (await server.AskAsync()).By("gpu");
        (await server.AskAsync()).By("gpu");
        (await server.AskAsync()).By("b", "budget_exhausted");
        Assert.Equal(2, rogue.Calls);
    }

    [Fact]
    public async Task Answer_of_an_upstream_that_cannot_be_delivered_is_waste_of_all_that_it_costs()
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        await using var server = await UpstreamAsync(
            rogue, "    gpu: [{ from: 2026-01-01, perRequest: 0.02, perRow: 0.001 }]\n",
            "budgets: { elsewhere: { limit: 1, models: [gpu] }, all: { limit: 1 } }\n");
        rogue.Infer = RogueServer.Bytes(RogueServer.Reply(RogueServer.Output(), s_nan));
        var reply = await server.AskAsync("1,2,3,4", ("X-Request-Id", "nan"));
        Assert.Contains("holds NaN", reply.Error, StringComparison.Ordinal);
        Assert.Empty((await server.RecordAsync("nan")).GetProperty("bill").EnumerateArray());
        var gpu = (await CostsAsync(server, "model", 0, 1))["gpu"];
        Assert.Equal(21_000_000, Nano(gpu.GetProperty("waste").GetString()));
        // It is paid: the model's own budget has it, and that of all, which is who asks, has not.
        Assert.Equal((21_000_000, 0), await SpentAsync(server));
    }

    [Fact]
    public async Task What_an_upstream_did_in_vain_is_in_its_own_budget_and_in_no_callers()
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        await using var server = await UpstreamAsync(
            rogue, "    gpu: [{ from: 2026-01-01, perRequest: 0.02, perHour: 3600 }]\n",
            "budgets: { elsewhere: { limit: 10000, models: [gpu] }, all: { limit: 10000 } }\n",
            "[{ model: gpu, checks: [{ confidenceMin: 0.9 }] }, { model: b }]");
        var billed = Nano((await server.AskAsync("0.1,0.2,0.3,0.4")).By("b", "answer_unfit")
            .Header("X-Spillway-Cost"));
        var (unfit, all) = await SpentAsync(server);
        Assert.True(unfit > 20_000_000, $"{unfit}");
        Assert.Equal(billed, all);
        rogue.Infer = RogueServer.Status(500);
        (await server.AskAsync()).By("b", "upstream_failed");
        // Its time, and no request, for it gave no answer.
        Assert.InRange((await SpentAsync(server)).Elsewhere - unfit, 1, 19_999_999);
    }

    [Fact]
    public async Task Answer_of_a_model_here_that_cannot_be_delivered_is_in_no_budget()
    {
        await using var server = await TestServer.StartAsync(Folder(
            "[{ model: a }]", "", null, null, perHour: 0,
            "budgets: { elsewhere: { limit: 1, models: [a] }, all: { limit: 1 } }\n"));
        var reply = await server.InferAsync("r", s_askNan,
            [("Inference-Header-Content-Length", $"{s_askNan.Length - s_nan.Length}")]);
        Assert.Contains("holds NaN", reply.Error, StringComparison.Ordinal);
        Assert.Equal((0, 0), await SpentAsync(server));
        (await server.AskAsync()).By("a");
        Assert.Equal((1_000_000, 1_000_000), await SpentAsync(server));
    }

    [Fact]
    public void Upstream_without_a_price_beside_models_that_have_one_is_a_note()
    {
        using var folder = UpstreamServer.Folder(UpstreamServer.ThenModel, ["http://127.0.0.1:1"]);
        File.AppendAllText(folder.PathOf("spillway.yaml"), Prices);
        var loaded = folder.Load();
        Assert.Empty(loaded.Errors);
        var note = Assert.Single(loaded.Notes, n => n.Key == "prices");
        Assert.Contains("the upstream gpu", note.Problem, StringComparison.Ordinal);
        Assert.Contains("prices.models.gpu", note.Remedy, StringComparison.Ordinal);
        File.AppendAllText(
            folder.PathOf("spillway.yaml"), "    gpu: [{ from: 2026-01-01, perRequest: 0 }]\n");
        Assert.DoesNotContain(folder.Load().Notes, n => n.Key == "prices");
    }

    [Fact]
    public async Task Eight_of_ten_that_ask_what_was_asked_cost_a_fifth()
    {
        var folder = Folder("[{ model: a }]", RoutedServer.Cache(), null, null, perHour: 0);
        await using var server = await TestServer.StartAsync(folder);
        // Of every ten the first two are new, and the others ask one of those.
        for (var i = 0; i < 100; i++)
        {
            var question = RoutedServer.Row($"{(i / 10 * 2) + (i % 2)},0,0,0");
            Assert.Equal(200, (await server.InferAsync("a", question)).Status);
            Assert.Equal(200, (await server.InferAsync("r", question)).Status);
        }

        var groups = await CostsAsync(server, "route", 200, 0);
        Assert.Equal((100, 100), (Count(groups["a"], "answers"), Count(groups["r"], "answers")));
        Assert.Equal(100_000_000, Nano(groups["a"].GetProperty("billed").GetString()));
        Assert.Equal(20_000_000, Nano(groups["r"].GetProperty("billed").GetString()));
    }

    [Fact]
    public async Task Remembered_answers_are_given_while_the_model_is_flooded()
    {
        // Its runs stay until the clock moves.
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartOnAsync(time, RoutedServer.Folder(
            "[{ model: a }]", RoutedServer.Cache(),
            a: TestServer.Simulated("{ 1: 50 }", more: "batching: { batchRowsMax: 1, queueLengthMax: 1 }")));
        (await TestServer.ThroughAsync(time, server.AskAsync(), stepMs: 5)).By("a");
        var running = server.AskAsync("2,2,2,2");
        await server.UntilModelAsync("a", "active_runs", 1);
        var waiting = server.AskAsync("3,3,3,3");
        await server.UntilModelAsync("a", "queue_length", 1);
        Assert.Equal("queue_full", (await server.AskAsync("9,9,9,9")).Header("X-Spillway-Fault"));
        for (var i = 0; i < 20; i++)
            Assert.Equal("hit", (await server.AskAsync()).By(null!).Header("X-Spillway-Cache"));
        (await TestServer.ThroughAsync(time, running, stepMs: 5)).By("a");
        (await TestServer.ThroughAsync(time, waiting, stepMs: 5)).By("a");
    }

    private static readonly byte[] s_nan =
        [.. new[] { 1f, float.NaN, 2, 3 }.SelectMany(BitConverter.GetBytes)];

    private static readonly byte[] s_askNan =
    [
        .. """{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":16}}]}"""u8,
        .. s_nan,
    ];

    private static ConfigFolder Folder(
        string steps, string more, string? a, string? b, double perHour = 3.6, string root = "") =>
        RoutedServer.Folder(
            steps, more, Prices.Replace(
                "perHour: 3.6", $"perHour: {perHour.ToString(CultureInfo.InvariantCulture)}",
                StringComparison.Ordinal) + "ledger: {}\n" + root, a, b);

    private static Task<TestServer> StartAsync(string steps, string more, string? a = null, string? b = null) =>
        TestServer.StartAsync(Folder(steps, more, a, b));

    private static async Task<TestServer> UpstreamAsync(
        RogueServer rogue, string price, string more = "", string steps = UpstreamServer.ThenModel, string? b = null)
    {
        var folder = UpstreamServer.Folder(steps, [rogue.Url]);
        if (b is not null)
            folder.Write("b/model.yaml", b);
        File.AppendAllText(folder.PathOf("spillway.yaml"), Prices + price + "ledger: {}\n" + more);
        var server = await TestServer.StartAsync(folder);
        await server.KnownAsync();
        return server;
    }

    /// <summary>The groups by name, once the ledger has so many answers and so many that wasted.</summary>
    private static async Task<Dictionary<string, JsonElement>> CostsAsync(
        TestServer server, string by, int answers, int wasted)
    {
        Dictionary<string, JsonElement> groups = [];
        await TestServer.UntilAsync(async () =>
        {
            groups = (await server.GetAsync($"/admin/v1/costs?by={by}")).Json.GetProperty("groups").EnumerateArray()
                .ToDictionary(g => g.GetProperty("name").GetString()!);
            return groups.Values.Sum(g => Count(g, "answers")) >= answers
                && groups.Values.Sum(g => Count(g, "wasted_requests")) >= wasted;
        });
        return groups;
    }

    /// <summary>Of the budgets elsewhere and all, once nothing is reserved.</summary>
    private static async Task<(long Elsewhere, long All)> SpentAsync(TestServer server)
    {
        List<JsonElement> budgets = [];
        await TestServer.UntilAsync(async () =>
        {
            budgets = [.. (await server.GetAsync("/admin/v1/budgets")).Json.GetProperty("budgets").EnumerateArray()];
            return server.Serving.InFlight == 0
                && budgets.All(b => b.GetProperty("reserved").GetString() == "0");
        });
        long Of(string name) => budgets.Where(b => b.GetProperty("name").GetString() == name)
            .Sum(b => Nano(b.GetProperty("spent").GetString()));
        return (Of("elsewhere"), Of("all"));
    }

    private static int Count(JsonElement group, string name) => group.GetProperty(name).GetInt32();

    private static long Nano(string? units) =>
        (long)(decimal.Parse(units!, CultureInfo.InvariantCulture) * 1_000_000_000);
}

using System.Globalization;
using Spillway.Tests.Config;
using Spillway.Tests.Server;

namespace Spillway.Tests.Protocols.Grpc;

/// <summary>What REST says of limits, budgets, cost and route in headers, by gRPC.</summary>
public sealed class GrpcFactsTests
{
    private const string Root = """
        limits: { rates: { slowly: { requestsPerSecond: 0.01, burstSeconds: 300, routes: [echo] } } }
        prices:
          currency: EUR
          devices: { simulated: [{ from: 2026-01-01, perHour: 0 }] }
          models: { echo: [{ from: 2026-01-01, perRow: 0.001 }] }
        budgets:
          all: { limit: 0.004, warnAt: [0.5] }

        """;

    [Fact]
    public async Task A_call_says_in_its_headers_what_REST_says_also_when_it_is_refused()
    {
        await using var server = await StartAsync();
        using var client = GrpcCalls.Client(server);
        var rest = await server.InferRowAsync("echo");
        var names = rest.Headers.Keys.Where(IsFact).Select(n => n.ToLowerInvariant()).Order().ToList();
        Assert.Equal(["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "x-spillway-cost"], names);

        var second = await client.InferAsync(Proto.Row("echo"));
        Assert.Equal(("3", "1", "0.001000000"), (second.Header("ratelimit-limit"),
            second.Header("ratelimit-remaining"), second.Header("x-spillway-cost")));
        Assert.InRange(int.Parse(second.Header("ratelimit-reset")!, CultureInfo.InvariantCulture), 1, 200);
        var third = await client.InferAsync(Proto.Row("echo"));
        Assert.Equal("all; used=0.750", third.Header("x-spillway-budget-warning"));

        var refused = await client.InferAsync(Proto.Row("echo"));
        Assert.Equal(8, refused.Status);
        Assert.Equal(("rate_limited", "3", "0"), (refused.Header("x-spillway-fault"),
            refused.Header("ratelimit-limit"), refused.Header("ratelimit-remaining")));
        Assert.NotNull(refused.Header("retry-after-ms"));
        Assert.Null(refused.Header("x-spillway-cost"));
    }

    [Fact]
    public async Task Each_answer_of_a_stream_says_it_of_its_own_request()
    {
        await using var server = await StartAsync();
        await using var call = await GrpcStreamCall.OpenAsync(server);
        for (var left = 2; left >= 0; left--)
        {
            var said = await AskAsync(call);
            Assert.Equal(("3", $"{left}", "0.001000000"),
                (said["ratelimit-limit"], said["ratelimit-remaining"], said["x-spillway-cost"]));
            Assert.True(left is 1 || left is 0 == said.ContainsKey("x-spillway-budget-warning"));
        }

        var refused = await AskAsync(call);
        Assert.Equal(("rate_limited", "3", "0"),
            (refused["fault"], refused["ratelimit-limit"], refused["ratelimit-remaining"]));
        Assert.True(refused.ContainsKey("retry-after-ms"));
        Assert.False(refused.ContainsKey("x-spillway-cost"));
        call.End();
        await call.EndsAsync(0);
    }

    [Fact]
    public async Task Where_nothing_is_limited_and_nothing_has_a_price_nothing_is_said()
    {
        await using var server = await TestServer.StartAsync(GrpcServer.Folder());
        await using var call = await GrpcStreamCall.OpenAsync(server);
        Assert.Equal(["triton_final_response", "x-request-id"],
            (await AskAsync(call)).Keys.Where(k => k != "simulated").Order());
        Assert.Contains("unknown model", (await AskAsync(call, "nobody"))[""], StringComparison.Ordinal);
    }

    private static bool IsFact(string header) =>
        header.StartsWith("RateLimit", StringComparison.OrdinalIgnoreCase)
        || header.Equals("X-Spillway-Cost", StringComparison.OrdinalIgnoreCase);

    /// <summary>The parameters of the next answer; its error without a name.</summary>
    private static async Task<Dictionary<string, string>> AskAsync(GrpcStreamCall call, string model = "echo")
    {
        await call.SendAsync(Proto.Row(model));
        var answer = (await call.NextAsync())!;
        var said = Proto.Read(Proto.Field(answer, 2)).Where(f => f.Field == 4)
            .ToDictionary(f => Proto.TextOf(f.Value, 1), f => Proto.TextOf(Proto.Field(f.Value, 2), 3));
        if (Proto.TextOf(answer, 1) is { Length: > 0 } error)
            said[""] = error;
        return said;
    }

    private static Task<TestServer> StartAsync()
    {
        var folder = new ConfigFolder().Write("spillway.yaml", $"server: {{ port: 0 }}\nmodels: [echo]\n{Root}")
            .Write("echo/model.yaml", TestServer.Simulated());
        return TestServer.StartAsync(folder.PathOf("spillway.yaml"), folder);
    }
}

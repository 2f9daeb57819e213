using System.Text.Json;

namespace Spillway.Tests.Server;

public sealed class MetadataTests(SimulatedServer fixture) : IClassFixture<SimulatedServer>
{
    private readonly TestServer _server = fixture.Server;

    [Fact]
    public async Task A_server_says_that_it_lives_and_is_ready()
    {
        var live = await _server.GetAsync("/v2/health/live");
        Assert.Equal((200, """{"live":true}"""), (live.Status, live.Text));
        var ready = await _server.GetAsync("/v2/health/ready");
        Assert.Equal((200, """{"ready":true}"""), (ready.Status, ready.Text));
        Assert.Equal("application/json", ready.Header("Content-Type"));
    }

    [Theory]
    [InlineData("/v2")]
    [InlineData("/v2/")]
    public async Task Server_metadata_names_the_server_and_its_extensions(string path)
    {
        var reply = await _server.GetAsync(path);
        Assert.Equal("spillway", reply.Json.GetProperty("name").GetString());
        Assert.Equal(Spillway.App.Hosting.Server.Version, reply.Json.GetProperty("version").GetString());
        Assert.Contains("binary_tensor_data", Strings(reply.Json.GetProperty("extensions")));
    }

    [Fact]
    public async Task The_name_of_the_server_is_configurable()
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder("name: triton", ("echo", TestServer.Simulated())));
        Assert.Equal("triton", (await server.GetAsync("/v2")).Json.GetProperty("name").GetString());
    }

    [Fact]
    public async Task The_list_of_models_has_each_with_its_version_and_state()
    {
        var models = (await _server.GetAsync("/v2/models")).Json.GetProperty("models").EnumerateArray().ToList();
        var names = models.Select(m => m.GetProperty("name").GetString());
        Assert.Equal(["echo", "pair", "words", "broken", "wide", "widest", "plain"], names);
        Assert.Equal(["1", "3", "1", "1", "1", "1", "1"], models.Select(m => m.GetProperty("version").GetString()));
        Assert.All(models, m => Assert.Equal("READY", m.GetProperty("state").GetString()));
        Assert.All(models, m => Assert.True(m.GetProperty("simulated").GetBoolean()));
    }

    [Theory]
    [InlineData("/v2/models/pair")]
    [InlineData("/v2/models/pair/versions/3")]
    public async Task Model_metadata_has_inputs_and_outputs(string path)
    {
        var model = (await _server.GetAsync(path)).Json;
        Assert.Equal("pair", model.GetProperty("name").GetString());
        Assert.Equal(["3"], Strings(model.GetProperty("versions")));
        Assert.Equal("spillway_simulated", model.GetProperty("platform").GetString());
        Assert.Equal(
            """[{"name":"a","datatype":"INT32","shape":[-1,2]},{"name":"b","datatype":"FP32","shape":[-1,2]}]""",
            model.GetProperty("inputs").GetRawText());
        Assert.Equal(
            """[{"name":"p","datatype":"INT32","shape":[-1,2]},{"name":"label","datatype":"BYTES","shape":[-1]}]""",
            model.GetProperty("outputs").GetRawText());
    }

    [Fact]
    public async Task The_default_deadline_is_shown_with_its_rule_or_as_the_fixed_one_that_it_is()
    {
        var plain = (await _server.GetAsync("/v2/models/plain")).Json;
        Assert.Equal("250", plain.GetProperty("properties").GetProperty("deadline_ms").GetString());
        Assert.StartsWith("5 times the learned time", plain.GetProperty("properties").GetProperty("deadline_rule").GetString(), StringComparison.Ordinal);
        var model = (await _server.GetAsync("/v2/models/words")).Json;
        Assert.Equal("300000", model.GetProperty("properties").GetProperty("deadline_ms").GetString());
        Assert.False(model.GetProperty("properties").TryGetProperty("deadline_rule", out _));
    }

    [Theory]
    [InlineData("/v2/models/pair/ready")]
    [InlineData("/v2/models/pair/versions/3/ready")]
    public async Task A_model_says_that_it_is_ready(string path)
    {
        var reply = await _server.GetAsync(path);
        Assert.Equal((200, """{"name":"pair","ready":true}"""), (reply.Status, reply.Text));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/v3")]
    [InlineData("/v2x")]
    [InlineData("/v2/nothing")]
    [InlineData("/v2/models/")]
    [InlineData("/v2/models/echo/versions/one")]
    [InlineData("/v2/models/echo/nothing")]
    [InlineData("/v2/models/stats/")]
    [InlineData("/v2/models/echo/stats/1")]
    [InlineData("/v2/models/echo/versions/1/trace/setting")]
    [InlineData("/v2/trace")]
    [InlineData("/v2/logging/")]
    [InlineData("/v2/health")]
    [InlineData("/favicon.ico")]
    public async Task An_unknown_path_is_not_found(string path)
    {
        var reply = await _server.GetAsync(path);
        Assert.Equal("""{"error":"Not Found"}""", reply.Text);
        reply.Is(404, "unknown_path");
    }

    [Theory]
    [InlineData("/v2/systemsharedmemory/status")]
    [InlineData("/v2/cudasharedmemory/region/mine/register")]
    public async Task Shared_memory_which_clients_of_others_ask_for_is_refused_with_what_to_do(string path) =>
        (await _server.GetAsync(path)).Is(501, "unsupported", "shared memory is not supported", "binary data");

    [Theory]
    [InlineData("POST", "/v2", "GET")]
    [InlineData("DELETE", "/v2/models/echo", "GET")]
    [InlineData("GET", "/v2/models/echo/infer", "POST")]
    [InlineData("PUT", "/v2/models/echo/versions/1/infer", "POST")]
    [InlineData("POST", "/v2/health/live", "GET")]
    [InlineData("POST", "/metrics", "GET")]
    [InlineData("POST", "/v2/models/stats", "GET")]
    [InlineData("POST", "/v2/models/echo/stats", "GET")]
    [InlineData("DELETE", "/v2/models/echo/versions/1/stats", "GET")]
    [InlineData("POST", "/v2/models/echo/config", "GET")]
    [InlineData("PUT", "/v2/models/echo/versions/1/config", "GET")]
    [InlineData("DELETE", "/v2/trace/setting", "GET, POST")]
    [InlineData("PUT", "/v2/models/echo/trace/setting", "GET, POST")]
    [InlineData("PATCH", "/v2/logging", "GET, POST")]
    [InlineData("HEAD", "/v2/logging", "GET, POST")]
    [InlineData("DELETE", "/admin/v1/models", "GET")]
    public async Task A_wrong_method_is_told_the_right_one(string method, string path, string allow)
    {
        var reply = await _server.SendAsync(new(new(method), path));
        Assert.Equal(405, reply.Status);
        if (method is not "HEAD")
            reply.Is(405, "wrong_method", "Method Not Allowed");
        Assert.Equal(allow, reply.Header("Allow"));
    }

    [Theory]
    [InlineData("/v2/models/nobody")]
    [InlineData("/v2/models/nobody/ready")]
    [InlineData("/v2/models/Echo")]
    public async Task An_unknown_model_is_told_which_there_are(string path) => (await _server.GetAsync(path)).Is(
        404, "unknown_model", "Request for unknown model: '", "' is not found",
        "Served here: echo, pair, words, broken, wide, widest, plain");

    [Fact]
    public async Task An_unknown_model_or_version_cannot_infer()
    {
        (await _server.InferAsync("nobody", TestServer.Row())).Is(404, "unknown_model", "Request for unknown model: 'nobody' is not found");
        (await _server.InferAsync("pair/versions/4", "{}")).Is(404, "unknown_model", "'pair' version 4 is not found", "Served here: version 3");
    }

    [Fact]
    public async Task While_models_load_the_server_lives_and_says_so()
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder("", ("echo", TestServer.Simulated())), load: false);
        Assert.Equal(200, (await server.GetAsync("/v2/health/live")).Status);
        var ready = await server.GetAsync("/v2/health/ready");
        Assert.Equal((503, """{"ready":false}"""), (ready.Status, ready.Text));
        var model = await server.GetAsync("/v2/models/echo/ready");
        Assert.Equal((503, """{"name":"echo","ready":false}"""), (model.Status, model.Text));
        Assert.Equal("LOADING", (await server.GetAsync("/v2/models")).Json.GetProperty("models")[0].GetProperty("state").GetString());
        (await server.GetAsync("/v2/models/echo")).Is(503, "model_not_ready", "still loading");
        (await server.InferRowAsync("echo")).Is(503, "model_not_ready", "still loading", "Retry");

        await server.LoadAsync();

        Assert.Equal(200, (await server.GetAsync("/v2/health/ready")).Status);
        await server.AssertAliveAsync();
    }

    [Fact]
    public async Task While_it_stops_the_server_lives_answers_what_it_took_and_takes_nothing_new()
    {
        await using var server = await TestServer.StartSlowAsync();
        using var leave = new CancellationTokenSource();
        var running = server.InferRowAsync("slow", id: "running", cancellation: leave.Token);
        await server.UntilModelAsync("slow", "active_runs", 1);

        var drained = server.Serving.DrainAsync(TestServer.Patience);

        Assert.Equal(200, (await server.GetAsync("/v2/health/live")).Status);
        Assert.Equal(503, (await server.GetAsync("/v2/health/ready")).Status);
        Assert.Equal(503, (await server.GetAsync("/v2/models/slow/ready")).Status);
        (await server.InferRowAsync("slow", id: "new")).Is(503, "shutting_down", "is stopping");
        Assert.Equal("refused_shutting_down", Decisions(await server.RecordAsync("new")).Last());
        Assert.False(drained.IsCompleted);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.True(await drained);
    }

    internal static IEnumerable<string?> Decisions(JsonElement record) =>
        record.GetProperty("decisions").EnumerateArray().Select(d => d.GetProperty("kind").GetString());

    private static List<string?> Strings(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetString())];
}

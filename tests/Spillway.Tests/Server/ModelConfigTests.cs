namespace Spillway.Tests.Server;

public sealed class ModelConfigTests(SimulatedServer fixture) : IClassFixture<SimulatedServer>
{
    private readonly TestServer _server = fixture.Server;

    [Theory]
    [InlineData("/v2/models/pair/config")]
    [InlineData("/v2/models/pair/versions/3/config")]
    public async Task A_model_tells_its_configuration_in_Tritons_shape(string path) => Assert.Equal(
        """
        {"name":"pair","platform":"spillway_simulated","backend":"simulated",
        "version_policy":{"specific":{"versions":[3]}},"max_batch_size":32,
        "input":[{"name":"a","data_type":"TYPE_INT32","dims":[2],"format":"FORMAT_NONE",
        "is_shape_tensor":false,"allow_ragged_batch":false,"optional":false},
        {"name":"b","data_type":"TYPE_FP32","dims":[2],"format":"FORMAT_NONE",
        "is_shape_tensor":false,"allow_ragged_batch":false,"optional":false}],
        "output":[{"name":"p","data_type":"TYPE_INT32","dims":[2],"label_filename":"","is_shape_tensor":false},
        {"name":"label","data_type":"TYPE_STRING","dims":[1],"reshape":{"shape":[]},
        "label_filename":"","is_shape_tensor":false}],
        "instance_group":[
        {"name":"pair_simulated:pair:0","kind":"KIND_MODEL","count":1,"passive":false,"host_policy":""}],
        "default_model_filename":"","dynamic_batching":{"preferred_batch_size":[1],
        "max_queue_delay_microseconds":0,"preserve_ordering":false,"priority_levels":3,"default_priority_level":2,
        "default_queue_policy":{"timeout_action":"REJECT","default_timeout_microseconds":0,
        "allow_timeout_override":true,"max_queue_size":256}},
        "parameters":{"deployment":{"string_value":"pair"},"simulated":{"string_value":"true"}}}
        """.ReplaceLineEndings(""), (await _server.GetAsync(path)).Text);

    [Fact]
    public async Task What_was_configured_shows_and_no_path_does()
    {
        const string more = """
            deadline: { fixedMs: 1500 }
            labels: { y: names.txt }
            batching: { batchRowsMax: 8, batchWaitMs: 0.5, queueLengthMax: 9, priorityLevels: 1 }
            """;
        await using var server = await TestServer.StartAsync(
            TestServer.Folder("", ("m", TestServer.Simulated(more: more))).Write("m/names.txt", "a\nb\nc\nd\n"));
        var reply = await server.GetAsync("/v2/models/m/config");
        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal(8, reply.Json.GetProperty("max_batch_size").GetInt32());
        Assert.Equal("names.txt", reply.Json.GetProperty("output")[0].GetProperty("label_filename").GetString());
        var batching = reply.Json.GetProperty("dynamic_batching");
        Assert.Equal(500, batching.GetProperty("max_queue_delay_microseconds").GetInt64());
        Assert.Equal(1, batching.GetProperty("default_priority_level").GetInt32());
        var policy = batching.GetProperty("default_queue_policy");
        Assert.Equal(9, policy.GetProperty("max_queue_size").GetInt32());
        Assert.Equal(1_500_000, policy.GetProperty("default_timeout_microseconds").GetInt64());
        Assert.DoesNotContain("/", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_batching_there_is_no_section_of_it()
    {
        var model = TestServer.Simulated(inputs: "x: \"FP32 [4,2]\"", outputs: "y: \"FP32 [4]\"");
        await using var server = await TestServer.StartAsync(TestServer.Folder("", ("single", model)), load: false);
        (await server.GetAsync("/v2/models/single/config")).Is(503, "model_not_ready", "still loading");
        await server.LoadAsync();
        var config = (await server.GetAsync("/v2/models/single/config")).Json;
        Assert.Equal(0, config.GetProperty("max_batch_size").GetInt32());
        Assert.Equal("[4,2]", config.GetProperty("input")[0].GetProperty("dims").GetRawText());
        Assert.False(config.TryGetProperty("dynamic_batching", out _));
    }
}

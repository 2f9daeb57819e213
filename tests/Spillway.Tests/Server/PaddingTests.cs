using System.Text.Json;
using Spillway.Shared;
using Spillway.Tests.Telemetry;

namespace Spillway.Tests.Server;

/// <summary>A server whose model takes texts of different lengths, its mask made here. A real ONNX model.</summary>
public sealed class PaddingServer : IAsyncLifetime
{
    public const string Yaml = """
        runtime: onnx
        deadline: { floorMs: 600000 }
        typical: { x: [1, 100] }
        padding:
          inputs: { x: { axis: 1, value: 1000 } }
          buckets: [100, 200]
          wasteMax: 0.5
          mask: { input: m }
          outputs: { twice: { axis: 1 } }
        """;

    internal TestServer Server { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var folder = TestServer.Folder("", ("mean", Yaml));
        await File.WriteAllBytesAsync(folder.PathOf("mean/model.onnx"), OnnxModels.MaskedMean());
        Server = await TestServer.StartAsync(folder);
    }

    public async Task DisposeAsync() => await Server.DisposeAsync();
}

public sealed class PaddingTests(PaddingServer fixture) : IClassFixture<PaddingServer>
{
    private readonly TestServer _server = fixture.Server;

    [Fact]
    public async Task Clients_neither_see_nor_send_the_mask()
    {
        var inputs = (await _server.GetAsync("/v2/models/mean")).Json.GetProperty("inputs");
        Assert.Equal("""[{"name":"x","datatype":"FP32","shape":[-1,-1]}]""", inputs.GetRawText());
        (await _server.InferAsync("mean", """
            {"inputs":[{"name":"m","shape":[1,2],"datatype":"FP32","data":[1,1]}]}
            """)).Is(400, "invalid_input");
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 60)]
    [InlineData(3, 100)]
    [InlineData(2, 101)]
    [InlineData(1, 777)]
    public async Task An_answer_is_what_the_own_length_gives(int rows, int length)
    {
        var values = Enumerable.Range(0, rows * length).Select(i => i % 10).ToArray();
        var reply = await AskAsync(rows, values);
        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal([rows, length], Shape(reply.Output("twice")));
        Assert.Equal(values.Select(v => 2.0 * v), reply.Numbers("twice"));
        var means = values.Chunk(length).Select(row => row.Average()).ToArray();
        Assert.All(means.Zip(reply.Numbers("mean")), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Fact]
    public async Task Requests_of_many_lengths_at_once_each_get_their_own_answer_and_the_metrics_tell_the_waste()
    {
        var random = new Random(5);
        var asked = Enumerable.Range(0, 120).Select(_ =>
        {
            var values = Enumerable.Range(0, random.Next(55, 200)).Select(_ => random.Next(100)).ToArray();
            return (Values: values, Reply: AskAsync(1, values));
        }).ToList();
        foreach (var (values, pending) in asked)
        {
            var reply = await pending;
            Assert.True(reply.Status == 200, reply.Text);
            Assert.Equal(values.Average(), reply.Numbers("mean")[0], 1e-3);
            Assert.Equal(values.Length, reply.Numbers("twice").Length);
        }

        var samples = Exposition.Parse((await _server.GetAsync("/metrics")).Body).Samples;
        double Sum(string name, string label) => samples.Where(s => s.Key.StartsWith(name, StringComparison.Ordinal)
            && s.Key.Contains(label, StringComparison.Ordinal)).Sum(s => s.Value);
        var padding = Sum("spillway_batch_elements_total", "kind=\"padding\"");
        Assert.InRange(padding / (padding + Sum("spillway_batch_elements_total", "kind=\"real\"")), 0.01, 0.5);
        Assert.True(Sum("spillway_bucket_rows_total", "length=\"100\"") > 0);
        Assert.True(Sum("spillway_bucket_rows_total", "length=\"200\"") > 0);
    }

    [Fact]
    public async Task Explain_tells_the_bucket_and_the_waste()
    {
        Assert.Equal(200, (await AskAsync(1, [.. Enumerable.Range(0, 80)], "padded-one")).Status);
        var decisions = (await _server.RecordAsync("padded-one")).GetProperty("decisions").EnumerateArray();
        Assert.Equal(
            "Padded from length 80 to 100; 20 % of the batch was padding.",
            decisions.Single(d => d.GetProperty("kind").GetString() == "padded").GetProperty("text").GetString());
    }

    [Fact]
    public async Task A_declaration_that_does_not_fit_the_model_fails_that_model_with_the_key()
    {
        var yaml = PaddingServer.Yaml.Replace("mask: { input: m }", "mask: { input: z }", StringComparison.Ordinal);
        var folder = TestServer.Folder("", ("mean", yaml));
        await File.WriteAllBytesAsync(folder.PathOf("mean/model.onnx"), OnnxModels.MaskedMean());
        await using var server = await TestServer.StartAsync(folder);
        (await server.InferAsync("mean", "{}")).Is(503, "model_not_ready", "padding.mask.input: names 'z'", "m, x");
    }

    private static int[] Shape(JsonElement output) =>
        [.. output.GetProperty("shape").EnumerateArray().Select(d => d.GetInt32())];

    private Task<Reply> AskAsync(int rows, int[] values, string id = "") => _server.InferAsync(
        "mean", $$"""
        {"inputs":[{"name":"x","shape":[{{rows}},{{values.Length / rows}}],"datatype":"FP32",
        "data":[{{string.Join(',', values)}}]}]}
        """, id.Length > 0 ? [("X-Request-Id", id)] : []);
}

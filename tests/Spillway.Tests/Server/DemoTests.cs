using System.Text;
using Spillway.Tests.Config;
using Spillway.Tests.Transforms.Picture;

namespace Spillway.Tests.Server;

/// <summary>The demo as it is shipped, running; only its shortest deadline is a minute, for very busy machines.</summary>
public sealed class DemoServer : IAsyncLifetime
{
    internal TestServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await TestServer.StartAsync(
        Path.Combine(ConfigFolder.Repository, "samples", "demo", "spillway.yaml"),
        environment: ("SPILLWAY__MODELS__LINE_OCR__DEADLINE__FLOORMS", "60000"));

    public async Task DisposeAsync() => await Server.DisposeAsync();
}

/// <summary>Pictures through the real demo's door, honest and hostile.</summary>
public sealed class DemoTests(DemoServer fixture) : IClassFixture<DemoServer>
{
    private readonly TestServer _server = fixture.Server;

    private static string Samples => Path.Combine(ConfigFolder.Repository, "samples", "ocr");

    private Task<Reply> ReadAsync(byte[] picture) => _server.InferAsync(
        "line-ocr", picture, [("Inference-Header-Content-Length", "0"), ("Accept", "application/json")]);

    private async Task RefusedAsync(byte[] picture, int status, string fault, params string[] says)
    {
        (await ReadAsync(picture)).Is(status, fault, says);
        var alive = await ReadAsync(Sample("invoice.png"));
        Assert.True(alive.Status == 200, alive.Text);
    }

    private static byte[] Sample(string name) => File.ReadAllBytes(Path.Combine(Samples, name));

    private static Dictionary<string, string> Expected() => File.ReadAllLines(Path.Combine(Samples, "expected.tsv"))
        .Where(l => l.Contains(".png", StringComparison.Ordinal)).Select(l => l.Split('\t')).ToDictionary(p => p[0], p => p[1]);

    [Fact]
    public async Task Every_sample_is_read_as_expected()
    {
        foreach (var (name, text) in Expected())
        {
            var reply = await ReadAsync(Sample(name));
            Assert.True(reply.Status == 200, reply.Text);
            // The recogniser may see a space in the margin.
            Assert.Equal(text, reply.Output("text").GetProperty("data")[0].GetString()!.Trim());
            Assert.InRange(reply.Numbers("confidence")[0], 0.8, 1);
        }
    }

    [Fact]
    public async Task Two_pictures_of_different_width_in_one_request_are_answered_in_order()
    {
        var expected = Expected();
        var (wide, narrow) = expected.Keys.Select(n => (Name: n, Width: Width(n))).OrderBy(n => n.Width).ToList() is var all
            ? (all[^1].Name, all[0].Name) : default;
        foreach (var (first, second) in new[] { (wide, narrow), (narrow, wide) })
        {
            var reply = await _server.InferAsync("line-ocr", Bytes(Sample(first), Sample(second)), [("Inference-Header-Content-Length", $"{Head(2, Sample(first), Sample(second)).Length}")]);
            Assert.True(reply.Status == 200, reply.Text);
            Assert.Equal([expected[first], expected[second]], reply.Output("text").GetProperty("data").EnumerateArray().Select(t => t.GetString()!));
            Assert.Equal([2], reply.Output("confidence").GetProperty("shape").EnumerateArray().Select(d => d.GetInt32()));
        }
    }

    [Fact]
    public async Task Metadata_tells_both_doors_and_their_default_deadline()
    {
        var picture = (await _server.GetAsync("/v2/models/line-ocr")).Json;
        Assert.Equal("""[{"name":"image","datatype":"BYTES","shape":[-1]}]""", picture.GetProperty("inputs").GetRawText());
        var tensor = (await _server.GetAsync("/v2/models/line-ocr-tensor")).Json;
        Assert.Equal("""[{"name":"x","datatype":"FP32","shape":[-1,3,48,-1]}]""", tensor.GetProperty("inputs").GetRawText());
        foreach (var door in new[] { picture, tensor })
        {
            Assert.Equal(
                """[{"name":"text","datatype":"BYTES","shape":[-1]},{"name":"confidence","datatype":"FP32","shape":[-1]}]""",
                door.GetProperty("outputs").GetRawText());
            Assert.Equal("60000", door.GetProperty("properties").GetProperty("deadline_ms").GetString());
        }
    }

    [Fact]
    public Task A_picture_that_claims_ten_thousand_million_pixels_is_refused_unread() => RefusedAsync(
        new PngWriter().Assemble(PngWriter.Header(100_000, 100_000, 2), PngWriter.Zlib(new byte[100])), 400, "invalid_input", "10,000,000,000 pixels", "16,000,000");

    [Fact]
    public Task A_truncated_picture_is_refused() => RefusedAsync(Sample("invoice.png")[..1000], 400, "invalid_input");

    [Fact]
    public Task A_picture_whose_data_unpacks_to_far_more_than_its_pixels_is_refused() => RefusedAsync(
        new PngWriter().Assemble(PngWriter.Header(8, 8, 2), PngWriter.Zlib(new byte[32 * 1024 * 1024])), 400, "invalid_input");

    [Fact]
    public Task A_picture_whose_data_is_not_compressed_data_is_refused() => RefusedAsync(
        new PngWriter().Assemble(PngWriter.Header(8, 8, 2), new byte[64]), 400, "invalid_input");

    [Theory]
    [InlineData("hello, this is no picture")]
    [InlineData("\u0089PNG\r\n\u001a\n")]
    [InlineData("GIF89a..............")]
    [InlineData("{\"inputs\":[]}")]
    public Task What_is_no_picture_is_refused(string text) => RefusedAsync(Encoding.Latin1.GetBytes(text), 400, "invalid_input", "PNG");

    [Fact]
    public async Task One_bad_picture_among_good_ones_is_a_refusal_of_that_request()
    {
        var (good, bad) = (Sample("invoice.png"), Sample("invoice.png")[..500]);
        var reply = await _server.InferAsync("line-ocr", Bytes(good, bad), [("Inference-Header-Content-Length", $"{Head(2, good, bad).Length}")]);
        reply.Is(400, "invalid_input");
        Assert.Equal(200, (await ReadAsync(good)).Status);
    }

    [Fact]
    public async Task A_picture_in_JSON_would_be_no_picture_and_the_refusal_says_what_it_needs() => (await _server.InferAsync(
        "line-ocr", """{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["iVBORw0KGgo="]}]}""")).Is(400, "invalid_input", "PNG");

    [Fact]
    public async Task The_tensor_door_refuses_pictures_and_takes_floats()
    {
        var black = new byte[3 * 48 * 32 * sizeof(float)];
        var reply = await _server.InferAsync(
            "line-ocr-tensor", [.. Encoding.UTF8.GetBytes(TensorHead(black.Length)), .. black], [("Inference-Header-Content-Length", $"{TensorHead(black.Length).Length}")]);
        Assert.True(reply.Status == 200, reply.Text);
        Assert.Single(reply.Output("text").GetProperty("data").EnumerateArray());
        (await _server.InferAsync("line-ocr-tensor", Sample("invoice.png"), [("Inference-Header-Content-Length", "0")])).Is(400, "invalid_input");
    }

    private static string TensorHead(int bytes) =>
        $$$"""{"inputs":[{"name":"x","shape":[1,3,48,32],"datatype":"FP32","parameters":{"binary_data_size":{{{bytes}}}}}]}""";

    private static int Width(string name) => System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(Sample(name).AsSpan(16));

    private static string Head(int count, params byte[][] elements) =>
        $$$"""{"inputs":[{"name":"image","shape":[{{{count}}}],"datatype":"BYTES","parameters":{"binary_data_size":{{{elements.Sum(e => e.Length + 4)}}}}}]}""";

    private static byte[] Bytes(params byte[][] elements) =>
        [.. Encoding.UTF8.GetBytes(Head(elements.Length, elements)), .. elements.SelectMany(e => BitConverter.GetBytes(e.Length).Concat(e))];
}

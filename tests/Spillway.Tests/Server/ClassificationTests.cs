using System.Globalization;
using System.Text;
using Spillway.App.Hosting;
using Spillway.Config;

namespace Spillway.Tests.Server;

/// <summary>The classification extension over the wire: y answers with x.</summary>
public sealed class ClassificationTests
{
    private const string Rows = """{"name":"x","shape":[2,4],"datatype":"FP32","data":[1,4,2.5,-1,8,8,9,0]}""";

    [Fact]
    public async Task The_best_classes_come_with_labels_as_JSON_and_as_binary()
    {
        await using var server = await StartAsync("labels: { y: names.txt }", "cat\ndog\nöwl\nemu\n");
        var reply = await server.InferAsync("m", Ask("\"classification\":2"));
        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal(
            """
            {"name":"y","datatype":"BYTES","shape":[2,2],
            "data":["4.000000:1:dog","2.500000:2:öwl","9.000000:2:öwl","8.000000:0:cat"]}
            """.ReplaceLineEndings(""),
            reply.Output("y").GetRawText());

        var binary = await server.InferAsync("m", Ask("\"classification\":1,\"binary_data\":true"));
        var split = int.Parse(binary.Header("Inference-Header-Content-Length")!, CultureInfo.InvariantCulture);
        var head = Encoding.UTF8.GetString(binary.Body[..split]);
        Assert.Contains("\"datatype\":\"BYTES\",\"shape\":[2,1]", head, StringComparison.Ordinal);
        byte[] expected = [14, 0, 0, 0, .. "4.000000:1:dog"u8, 15, 0, 0, 0, .. "9.000000:2:öwl"u8];
        Assert.Equal(expected, binary.Body[split..]);
    }

    [Fact]
    public async Task Without_labels_value_and_index_stand_alone_and_k_stops_at_the_classes()
    {
        await using var server = await StartAsync("");
        var reply = await server.InferAsync("m", Ask("\"classification\":100"));
        Assert.Equal("[2,4]", reply.Output("y").GetProperty("shape").GetRawText());
        Assert.Equal("4.000000:1", reply.Output("y").GetProperty("data")[0].GetString());
        Assert.Equal("-1.000000:3", reply.Output("y").GetProperty("data")[3].GetString());
        var none = await server.InferAsync("m", Ask("\"classification\":0"));
        Assert.Equal([1, 4, 2.5, -1, 8, 8, 9, 0], none.Numbers("y"));
    }

    [Theory]
    [InlineData("-1", "must be a whole number")]
    [InlineData("2.5", "must be a whole number")]
    [InlineData("\"2\"", "must be a whole number")]
    [InlineData("null", "must be a whole number")]
    public async Task A_number_of_classes_that_is_none_is_refused(string k, string says)
    {
        await using var server = await StartAsync("");
        (await server.InferAsync("m", Ask($"\"classification\":{k}")))
            .Is(400, "invalid_input", "'classification'", says);
    }

    [Fact]
    public async Task An_output_without_an_order_is_refused_before_it_runs()
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder(
            "", ("m", TestServer.Simulated(outputs: "y: \"BYTES [-1]\""))));
        (await server.InferAsync("m", Ask("\"classification\":1")))
            .Is(400, "invalid_input", "class result not available for output 'y' due to unsupported type 'BYTES'");
        var stats = (await server.GetAsync("/v2/models/m/stats")).Json.GetProperty("model_stats")[0];
        Assert.Equal(0, stats.GetProperty("execution_count").GetInt64());
    }

    [Fact]
    public async Task A_score_that_is_no_number_is_a_500_that_names_the_class()
    {
        await using var server = await StartAsync("");
        const string json = """
            {"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":16}}],
            "outputs":[{"name":"y","parameters":{"classification":1}}]}
            """;
        byte[] scores = [.. new byte[4], .. BitConverter.GetBytes(float.NaN), .. new byte[8]];
        byte[] body = [.. Encoding.UTF8.GetBytes(json), .. scores];
        (await server.InferAsync("m", body, [("Inference-Header-Content-Length", $"{json.Length}")]))
            .Is(500, "runtime_failed", "NaN as the score of class 1 in row 0");
    }

    [Theory]
    [InlineData("labels: { z: names.txt }", "labels.z: no such output; there are y")]
    [InlineData("labels: { y: names.txt }", "has 4 classes; the label file")]
    public async Task Labels_that_do_not_fit_the_model_fail_its_load_with_the_reason(string labels, string says)
    {
        await using var server = await StartAsync(labels, "one\ntwo\n");
        (await server.InferRowAsync("m")).Is(503, "model_not_ready", says);
    }

    [Fact]
    public void A_label_file_that_is_not_there_is_an_error_of_the_configuration()
    {
        using var folder = TestServer.Folder("", ("m", TestServer.Simulated(more: "labels: { y: nowhere.txt }")));
        var loaded = ConfigLoader.Load(
            folder.PathOf("spillway.yaml"), Composition.RuntimeOptions, new Dictionary<string, string>());
        Assert.Contains("models[0].labels.y", ConfigErrorText.Format(loaded.Errors), StringComparison.Ordinal);
    }

    private static string Ask(string parameters) =>
        $$$"""{"inputs":[{{{Rows}}}],"outputs":[{"name":"y","parameters":{ {{{parameters}}} } } ]}""";

    private static Task<TestServer> StartAsync(string more, string labels = "") => TestServer.StartAsync(
        TestServer.Folder("", ("m", TestServer.Simulated(more: more))).Write("m/names.txt", labels));
}

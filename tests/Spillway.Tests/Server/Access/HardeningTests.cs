using System.Buffers.Binary;
using System.Text;
using Spillway.Client;
using Spillway.Tests.Hosting;
using Spillway.Tests.Protocols.Grpc;

namespace Spillway.Tests.Server.Access;

/// <summary>
/// What a key sees of an answer, on every way out. y answers with x: plain has y and a text beside it, named has labels
/// for y, best gives the three best classes.
/// </summary>
public sealed class HardeningTests : IAsyncLifetime
{
    private const string Ask =
        """{"inputs":[{"name":"x","shape":[2,4],"datatype":"FP32","data":[0.123456,0.9,0.55555,-1,8,8,9,0]}]""";

    private KeyedServer _server = null!;

    public async Task InitializeAsync()
    {
        const string Names = "cat\ndog\nowl\nemu\n";
        var folder = TestServer.Folder(
            "", ("plain", TestServer.Simulated(outputs: "y: \"FP32 [-1,4]\", label: \"BYTES [-1]\"")),
            ("named", TestServer.Simulated(more: "labels: { y: names.txt }")),
            ("best", TestServer.Simulated(more: "outputs: { topK: { labels: names.txt, k: 3, softmax: false } }")))
            .Write("named/names.txt", Names).Write("best/names.txt", Names);
        await File.AppendAllTextAsync(folder.PathOf("spillway.yaml"), "access: { keys: required }\n");
        _server = await KeyedServer.StartAsync(folder);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_key_with_every_right_sees_the_numbers()
    {
        var key = await KeyAsync("");
        var plain = await InferAsync("plain", key);
        Assert.Equal([0.123456, 0.9, 0.55555, -1, 8, 8, 9, 0], plain.Numbers("y"));
        Assert.Equal("FP32", (await InferAsync("named", key)).Output("y").GetProperty("datatype").GetString());
    }

    [Fact]
    public async Task Numbers_are_rounded_in_JSON_and_in_binary()
    {
        var key = await KeyAsync(",\"decimals\":2");
        var reply = await InferAsync("plain", key);
        Assert.Equal("[0.12,0.9,0.56,-1,8,8,9,0]", reply.Output("y").GetProperty("data").GetRawText());
        var binary = await InferAsync("plain", key, ",\"parameters\":{\"binary_data_output\":true}");
        var split = int.Parse(binary.Header("Inference-Header-Content-Length")!,
            System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(0.12f, BitConverter.ToSingle(binary.Body, split));
        Assert.Equal(0.56f, BitConverter.ToSingle(binary.Body, split + 8));
        var whole = await InferAsync("plain", await KeyAsync(",\"decimals\":0"), row: "1.49,3.5,7.6,0.2");
        Assert.Equal([1, 4, 8, 0], whole.Numbers("y"));
    }

    [Fact]
    public async Task Classes_are_chosen_by_exact_numbers_and_shown_rounded()
    {
        var key = await KeyAsync(",\"decimals\":1");
        var reply = await InferAsync("plain", key,
            ",\"outputs\":[{\"name\":\"y\",\"parameters\":{\"classification\":2}}]", row: "0.51,0.52,0.54,0.53");
        Assert.Equal("[\"0.500000:2\",\"0.500000:3\"]", reply.Output("y").GetProperty("data").GetRawText());
    }

    [Fact]
    public async Task A_key_for_labels_gets_no_number()
    {
        var key = await KeyAsync(",\"label_only\":true");
        var plain = await InferAsync("plain", key);
        Assert.Equal("label", Assert.Single(plain.Json.GetProperty("outputs").EnumerateArray()).GetProperty(
            "name").GetString());
        var named = await InferAsync("named", key);
        Assert.Equal("[\"nan:1:dog\",\"nan:2:owl\"]", named.Output("y").GetProperty("data").GetRawText());
        var asked = await InferAsync("named", key,
            ",\"outputs\":[{\"name\":\"y\",\"parameters\":{\"classification\":4}}]");
        Assert.Equal("[2,1]", asked.Output("y").GetProperty("shape").GetRawText());
        var best = await InferAsync("best", key);
        Assert.Single(best.Json.GetProperty("outputs").EnumerateArray());
        Assert.DoesNotContain("0.9", best.Text, StringComparison.Ordinal);
        (await InferAsync("plain", key, ",\"outputs\":[{\"name\":\"y\"}]")).Is(
            403, "forbidden", "sees labels and texts only");
        var statistics = (await _server.GetAsync("/v2/models/plain/stats", key)).Json.GetProperty("model_stats")[0];
        Assert.Equal(1, statistics.GetProperty("execution_count").GetInt64());
    }

    [Fact]
    public async Task A_key_for_the_best_classes_gets_no_more_of_them()
    {
        var key = await KeyAsync(",\"top_k\":2,\"decimals\":1");
        var best = await InferAsync("best", key);
        Assert.Equal("[2,2]", best.Json.GetProperty("outputs")[0].GetProperty("shape").GetRawText());
        Assert.Equal("""["dog","owl","owl","cat"]""",
            best.Json.GetProperty("outputs")[0].GetProperty("data").GetRawText());
        Assert.Equal("[0.9,0.6,9,8]", best.Json.GetProperty("outputs")[1].GetProperty("data").GetRawText());
        var named = await InferAsync("named", key);
        Assert.Equal("""["0.900000:1:dog","0.600000:2:owl","9.000000:2:owl","8.000000:0:cat"]""",
            named.Output("y").GetProperty("data").GetRawText());
        var asked = await InferAsync("named", key,
            ",\"outputs\":[{\"name\":\"y\",\"parameters\":{\"classification\":1}}]");
        Assert.Equal("[2,1]", asked.Output("y").GetProperty("shape").GetRawText());
    }

    [Fact]
    public async Task It_holds_for_gRPC_and_its_streams()
    {
        var key = await KeyAsync(",\"label_only\":true");
        byte[] row = [.. new[] { 1f, 4, 2.5f, -1 }.SelectMany(BitConverter.GetBytes)];
        byte[] Message(string model) => Proto.Message(
            Proto.Text(1, model), Proto.Input("x", "FP32", [1, 4]), Proto.Bytes(7, row));
        using var client = GrpcCalls.Client(_server.Server);
        var named = (await client.InferAsync(Message("named"), ("x-api-key", key))).Message;
        Assert.Equal("nan:1:dog", Text(Proto.Field(named, 6)));
        var plain = (await client.InferAsync(Message("plain"), ("x-api-key", key))).Message;
        Assert.Equal("label", Proto.TextOf(Assert.Single(Proto.Read(plain), f => f.Field == 5).Value, 1));

        await using var call = await GrpcStreamCall.OpenAsync(_server.Server, headers: ("x-api-key", key));
        await call.SendAsync(Message("named"));
        Assert.Equal("nan:1:dog", Text(Proto.Field(Proto.Field((await call.NextAsync())!, 2), 6)));
    }

    [Fact]
    public async Task It_holds_for_the_client_inside_an_application()
    {
        await using var app = await EmbeddedApp.StartAsync(spillway =>
        {
            spillway.Models.Add(EmbeddedApp.Model("plain"));
            spillway.Caller = new()
            {
                Tenant = "app", Roles = Roles.Caller, Models = new HashSet<string> { "plain" },
                    Detail = new(Decimals: 1),
            };
        });
        var reply = await app.Client.InferAsync("plain",
            [InferenceInput.Of<float>("x", [1, 4], [0.123f, 2, 3, 4.56f])]);
        Assert.Equal([0.1f, 2, 3, 4.6f], reply["y"].As<float>());
        var refused = await Assert.ThrowsAsync<InferenceException>(
            () => app.Client.InferAsync("other", [InferenceInput.Of<float>("x", [1, 4], [1, 2, 3, 4])]));
        Assert.Equal(FaultKind.Forbidden, refused.Kind);
    }

    private static string Text(byte[] elements) =>
        Encoding.UTF8.GetString(elements, 4, BinaryPrimitives.ReadInt32LittleEndian(elements));

    private async Task<string> KeyAsync(string detail) =>
        (await _server.KeyAsync($$"""{"tenant":"a"{{detail}}}""")).Text;

    private async Task<Reply> InferAsync(string model, string key, string more = "", string row = "")
    {
        var ask = row.Length == 0 ? Ask
            : $$"""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[{{row}}]}]""";
        return await _server.SendAsync("POST", $"/v2/models/{model}/infer", key, ask + more + "}");
    }
}

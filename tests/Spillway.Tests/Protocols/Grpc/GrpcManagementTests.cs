using System.Text;
using Spillway.Shared;
using Spillway.Tests.Config;
using Spillway.Tests.Server;

namespace Spillway.Tests.Protocols.Grpc;

/// <summary>Repository, configuration, statistics, settings and classification over gRPC.</summary>
public sealed class GrpcManagementTests
{
    [Fact]
    public async Task Models_are_listed_loaded_uploaded_and_unloaded()
    {
        await using var server = await StartAsync();
        using var client = GrpcCalls.Client(server);
        Assert.Equal(["m 1 UNAVAILABLE unloaded"], await IndexAsync(client, []));

        Assert.Empty((await client.CallAsync(Path("RepositoryModelLoad"), Proto.Text(2, "m"))).Message);
        Assert.Equal(["m 1 READY "], await IndexAsync(client, Proto.Whole(2, 1)));
        var model = OnnxModels.Identity(OnnxWriter.Float);
        byte[] upload = [.. Proto.Text(2, "up"), .. Text("config", "{}"), .. File("file:4/model.onnx", model)];
        Assert.Empty((await client.CallAsync(Path("RepositoryModelLoad"), upload)).Message);
        Assert.Equal(["m 1 READY ", "up 4 READY "], await IndexAsync(client, []));
        Assert.NotEmpty((await client.InferAsync(Proto.Row("up"))).Message);

        Assert.Empty((await client.CallAsync(Path("RepositoryModelUnload"), Proto.Text(2, "up"))).Message);
        (await client.InferAsync(Proto.Row("up"))).Is(5, "Request for unknown model: 'up'");
    }

    [Fact]
    public async Task What_is_wrong_with_a_load_is_said()
    {
        await using var server = await StartAsync();
        using var client = GrpcCalls.Client(server);
        async Task Refused(int status, string says, params byte[][] fields) =>
            (await client.CallAsync(Path("RepositoryModelLoad"), Proto.Message(fields))).Is(status, says);

        var name = Proto.Text(2, "m");
        await Refused(5, "failed to load '../m'", Proto.Text(2, "../m"));
        await Refused(5, "failed to load 'nobody'", Proto.Text(2, "nobody"));
        await Refused(5, "that is no model's name", Proto.Text(2, new string('x', 5000)));
        await Refused(12, "'repository_name'", Proto.Text(1, "mine"), name);
        await Refused(3, "names no file of a version", name, Text("config", "{}"), File("file:1/../x", [1]));
        await Refused(3, "without the parameter 'config'", name, File("file:1/model.onnx", [1]));
        await Refused(3, "bytes_param", name, Text("file:1/model.onnx", "QUJD"));
        await Refused(3, "string_param", name, File("config", [1]));
        await Refused(3, "'other' is unknown", name, Text("other", ""));
        await Refused(13, "failed to load 'm'", name, Text("config", "{}"), File("file:1/model.onnx", [1, 2, 3]));
        await Refused(13, "no valid protobuf", name, [26, 100]);
    }

    [Fact]
    public async Task Config_and_statistics_say_what_REST_says()
    {
        await using var server = await TestServer.StartAsync(GrpcServer.Folder());
        using var client = GrpcCalls.Client(server);
        Assert.NotEmpty((await client.InferAsync(Proto.Row("echo"))).Message);

        var config = Proto.Field((await client.CallAsync(Path("ModelConfig"), Proto.Text(1, "echo"))).Message, 1);
        Assert.Equal(("echo", "spillway_simulated", "simulated"),
            (Proto.TextOf(config, 1), Proto.TextOf(config, 2), Proto.TextOf(config, 17)));
        var rows = (await server.GetAsync("/v2/models/echo/config")).Json.GetProperty("max_batch_size").GetInt64();
        Assert.Equal(rows, Whole(config, 4));
        var input = Proto.Field(config, 5);
        Assert.Equal(("x", 11L), (Proto.TextOf(input, 1), Whole(input, 2)));
        Assert.Equal([4], Proto.Field(input, 4));

        await TestServer.UntilAsync(async () =>
        {
            var all = (await client.CallAsync(Path("ModelStatistics"), Proto.Text(1, "echo"))).Message;
            return Whole(Proto.Field(all, 1), 4) == 1;
        });
        var everything = Proto.Read((await client.CallAsync(Path("ModelStatistics"), [])).Message);
        Assert.Equal(server.Serving.Doors.Count, everything.Count);
        (await client.CallAsync(Path("ModelConfig"), Proto.Text(1, "nobody"))).Is(5, "Request for unknown model");
        (await client.CallAsync(Path("ModelStatistics"), Proto.Text(1, "nobody"))).Is(5, "Request for unknown model");
    }

    [Fact]
    public async Task Settings_are_shown_changed_and_judged_as_over_REST()
    {
        await using var server = await TestServer.StartAsync(GrpcServer.Folder());
        using var client = GrpcCalls.Client(server);
        var rate = Proto.Bytes(1, Proto.Text(1, "trace_rate"), Proto.Bytes(2, Proto.Text(1, "7")));
        var echo = Proto.Text(2, "echo");
        var trace = (await client.CallAsync(Path("TraceSetting"), [.. rate, .. echo])).Message;
        Assert.Equal("7", Proto.TextOf(Setting(trace, "trace_rate"), 1));
        Assert.Equal("7", (await server.GetAsync("/v2/models/echo/trace/setting")).Json.GetProperty("trace_rate").GetString());
        Assert.Equal("1", (await server.GetAsync("/v2/trace/setting")).Json.GetProperty("trace_rate").GetString());
        var cleared = Proto.Bytes(1, Proto.Text(1, "trace_rate"), Proto.Bytes(2));
        trace = (await client.CallAsync(Path("TraceSetting"), [.. cleared, .. echo])).Message;
        Assert.Equal("1", Proto.TextOf(Setting(trace, "trace_rate"), 1));

        var log = (await client.CallAsync(Path("LogSettings"), Log("log_verbose_level", Proto.Whole(2, 2)))).Message;
        Assert.Equal(2, Whole(Setting(log, "log_verbose_level"), 2));
        log = (await client.CallAsync(Path("LogSettings"), Log("log_info", Proto.Whole(1, 0)))).Message;
        Assert.Equal(0, Whole(Setting(log, "log_info"), 1));
        Assert.False((await server.GetAsync("/v2/logging")).Json.GetProperty("log_info").GetBoolean());
        (await client.CallAsync(Path("LogSettings"), Log("log_file", Proto.Text(3, "/etc/x")))).Is(12, "log_file");
        (await client.CallAsync(Path("LogSettings"), Log("nonsense", Proto.Whole(1, 1)))).Is(3, "nonsense");
        (await client.CallAsync(Path("TraceSetting"), [.. Proto.Text(2, "nobody")])).Is(5, "unknown model");
        (await client.CallAsync(Path("TraceSetting"), Proto.Bytes(1, [10, 1, 0xff]))).Is(13, "no valid protobuf");
    }

    [Fact]
    public async Task The_best_classes_come_as_bytes_in_a_call_and_on_a_stream()
    {
        await using var server = await TestServer.StartAsync(GrpcServer.Folder());
        using var client = GrpcCalls.Client(server);
        static byte[] Best(int k, string model = "echo", string output = "y") => Proto.Row(model, "", Proto.Bytes(
            6, Proto.Text(1, output), Proto.Bytes(2, Proto.Text(1, "classification"), Proto.Bytes(2, Proto.Whole(2, k)))));

        var answer = (await client.InferAsync(Best(2))).Message;
        byte[] expected = [10, 0, 0, 0, .. "4.000000:3"u8, 10, 0, 0, 0, .. "3.000000:2"u8];
        Assert.Equal(expected, Proto.Field(answer, 6));
        Assert.Equal(("BYTES", 2), (Proto.TextOf(Proto.Field(answer, 5), 2), Proto.Field(Proto.Field(answer, 5), 3)[1]));
        await using var stream = await GrpcStreamCall.OpenAsync(server);
        await stream.SendAsync(Best(2));
        Assert.Equal(expected, Proto.Field(Proto.Field((await stream.NextAsync())!, 2), 6));
        (await client.InferAsync(Best(-1))).Is(3, "'classification'", "must be a whole number");
    }

    private static string Path(string call) => GrpcCalls.Service + call;

    private static byte[] Text(string name, string value) =>
        Proto.Bytes(3, Proto.Text(1, name), Proto.Bytes(2, Proto.Text(3, value)));

    private static byte[] File(string name, byte[] value) =>
        Proto.Bytes(3, Proto.Text(1, name), Proto.Bytes(2, Proto.Bytes(4, value)));

    private static byte[] Log(string name, byte[] choice) => Proto.Bytes(1, Proto.Text(1, name), Proto.Bytes(2, choice));

    private static byte[] Setting(byte[] message, string name) => Proto.Field(
        Proto.Read(message).Select(e => e.Value).Single(e => Proto.TextOf(e, 1) == name), 2);

    private static long Whole(byte[] message, int field) => BitConverter.ToInt64(Proto.Field(message, field));

    private static Task<TestServer> StartAsync() => TestServer.StartAsync(new ConfigFolder().Write(
        "spillway.yaml", "server: { port: 0, grpcPort: 0 }\nrepository: { path: models, modelControl: explicit }\n").Model("m", 1));

    private static async Task<List<string>> IndexAsync(HttpClient client, byte[] request)
    {
        var models = (await client.CallAsync(Path("RepositoryIndex"), request)).Message;
        return [.. Proto.Read(models).Select(m => string.Join(' ', Enumerable.Range(1, 4).Select(f => Proto.TextOf(m.Value, f))))];
    }
}

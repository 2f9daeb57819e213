using System.Globalization;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Tests.Server;
using Spillway.Tests.Support;

namespace Spillway.Tests.Protocols.Grpc;

public sealed class GrpcInferTests(GrpcServer fixture) : IClassFixture<GrpcServer>
{
    private static readonly Dictionary<string, DoorOptions> s_noOthers = [];

    private readonly TestServer _server = fixture.Server;
    private readonly HttpClient _client = fixture.Client;

    [Fact]
    public async Task An_answer_has_names_id_shape_and_the_raw_output()
    {
        var reply = await _client.InferAsync(Proto.Row("echo", "mine"), ("x-request-id", "grpc-1"), ("te", "trailers"));
        var message = reply.Message;
        Assert.Equal(("echo", "1", "mine"), (Proto.TextOf(message, 1), Proto.TextOf(message, 2), Proto.TextOf(message,
            3)));
        var output = Proto.Field(message, 5);
        Assert.Equal(Proto.Message(Proto.Text(1, "y"), Proto.Text(2, "FP32"), Proto.Packed(3, 1, 4)), output);
        Assert.Equal(Proto.Floats(1, 2, 3, 4), Proto.Field(message, 6));
        Assert.Equal("grpc-1", reply.Header("X-Request-Id"));
        Assert.NotNull(reply.Header("traceparent"));

        var record = await _server.RecordAsync("grpc-1");
        Assert.Equal(("echo", "mine", "ok"), (
            record.GetProperty("model").GetString(), record.GetProperty("client_id").GetString(),
                record.GetProperty("outcome").GetString()));
        var stages = record.GetProperty("stages").EnumerateArray().Sum(s => s.GetProperty("ms").GetDecimal());
        Assert.Equal(record.GetProperty("total_ms").GetDecimal(), stages);
        Assert.Contains("execute;dur=", reply.Header("Server-Timing"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fields_may_come_in_any_order_and_unknown_ones_are_passed_over()
    {
        var reply = await _client.InferAsync(Proto.Message(
            Proto.Bytes(7, Proto.Floats(4, 3, 2, 1)), Proto.Text(99, "new"), Proto.Whole(98, 7), Proto.Input("x",
                "FP32", [1, 4]),
            Proto.Text(1, "nobody"), Proto.Text(1, "echo")));
        Assert.Equal(Proto.Floats(4, 3, 2, 1), Proto.Field(reply.Message, 6));
    }

    [Theory]
    [InlineData("BOOL", 1, "1,0,1,1", "01000101")]
    [InlineData("INT8", 2, "-128,127,0,-1", "807f00ff")]
    [InlineData("INT16", 2, "-32768,32767,0,-1", "0080ff7f0000ffff")]
    [InlineData("INT32", 2, "-2147483648,2147483647,0,-1", "00000080ffffff7f00000000ffffffff")]
    [InlineData("INT64", 3, "-9223372036854775808,1,0,-1",
        "000000000000008001000000000000000000000000000000ffffffffffffffff")]
    [InlineData("UINT8", 4, "0,255,1,128", "00ff0180")]
    [InlineData("UINT16", 4, "0,65535,1,256", "0000ffff01000001")]
    [InlineData("UINT32", 4, "0,4294967295,1,2", "00000000ffffffff0100000002000000")]
    [InlineData("UINT64", 5, "0,-1,1,2", "0000000000000000ffffffffffffffff01000000000000000200000000000000")]
    public async Task Typed_whole_numbers_of_every_type_arrive(string type, int field, string values, string hex)
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder("", ("typed", TestServer.Simulated(
            inputs: $"x: \"{type} [-1,4]\"", outputs: $"y: \"{type} [-1,4]\""))));
        using var client = GrpcCalls.Client(server);
        long[] numbers = [.. values.Split(',').Select(v => long.Parse(v, CultureInfo.InvariantCulture))];
        var packed = Proto.Packed(field, numbers);
        var single = Proto.Message([.. numbers.Select(n => Proto.Whole(field, n))]);
        // In one list, in single fields, and in two messages that protobuf merges.
        byte[][] forms =
        [
            Proto.Bytes(5, packed), Proto.Bytes(5, single),
            [.. Proto.Bytes(5, Proto.Packed(field, numbers[..1])), .. Proto.Bytes(5, Proto.Packed(field,
                numbers[1..]))],
        ];
        foreach (var form in forms)
        {
            var reply = await client.InferAsync(Proto.Message(Proto.Text(1, "typed"), Proto.Input("x", type, [1, 4],
                form)));
            Assert.Equal(hex, Convert.ToHexStringLower(Proto.Field(reply.Message, 6)));
        }
    }

    [Theory]
    [InlineData("INT8", 2, 128)]
    [InlineData("INT16", 2, -32769)]
    [InlineData("UINT8", 4, 256)]
    [InlineData("UINT32", 4, 1L << 32)]
    public async Task A_number_beyond_its_type_is_refused_and_not_cut(string type, int field, long value)
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder("", ("typed", TestServer.Simulated(
            inputs: $"x: \"{type} [-1,1]\"", outputs: $"y: \"{type} [-1,1]\""))));
        using var client = GrpcCalls.Client(server);
        (await client.InferAsync(Proto.Message(Proto.Text(1, "typed"), Proto.Input("x", type, [1, 1], Proto.Bytes(5,
            Proto.Packed(field, value))))))
            .Is(3, $"element 0 of input 'x' is out of the range of {type}");
    }

    [Fact]
    public async Task Typed_floats_in_pieces_and_in_one_list_are_the_same()
    {
        byte[] f1 = [.. Proto.Varint((6 * 8) + 5), .. Proto.Floats(1)], rest = Proto.Bytes(6, Proto.Floats(2, 3, 4));
        foreach (var contents in new[] { Proto.Bytes(5, f1, rest), Proto.Bytes(5, Proto.Bytes(6, Proto.Floats(1, 2, 3,
            4))) })
        {
            var reply = await _client.InferAsync(Proto.Message(Proto.Text(1, "echo"), Proto.Input("x", "FP32", [1, 4],
                contents)));
            Assert.Equal(Proto.Floats(1, 2, 3, 4), Proto.Field(reply.Message, 6));
        }
    }

    [Fact]
    public async Task What_an_input_claims_is_held_against_what_it_brings()
    {
        byte[] With(byte[] input, params byte[][] more) => Proto.Message([Proto.Text(1, "echo"), input, .. more]);
        var floats = Proto.Bytes(5, Proto.Bytes(6, Proto.Floats(1, 2, 3)));
        (await _client.InferAsync(With(Proto.Input("x", "FP32", [1, 4], floats))))
            .Is(3, "has 4 elements, its contents hold 3");
        (await _client.InferAsync(With(Proto.Input("x", "FP32", [1L << 60, 4])))).Is(3, "its contents hold 0");
        (await _client.InferAsync(With(Proto.Input("x", "FP32", [1L << 62, 4])))).Is(3, "element count overflow");
        (await _client.InferAsync(With(Proto.Input("x", "FP32", [-1, 4])))).Is(3, "Expected [-1,4], got [-1,4].");
        (await _client.InferAsync(With(Proto.Input("x", "INT32", [1, 4]))))
            .Is(3, "data-type is 'INT32', but model 'echo' expects 'FP32'");
        (await _client.InferAsync(With(Proto.Input("x", "FP32", [1, 4], Proto.Bytes(5, Proto.Packed(2, 1, 2, 3, 4))))))
            .Is(3, "takes its values from fp32_contents");
        (await _client.InferAsync(With(Proto.Input("x", "FP32", [1, 4], floats), Proto.Bytes(7, Proto.Floats(1, 2, 3,
            4)))))
            .Is(3, "contents field must not be specified when using raw_input_contents");
        (await _client.InferAsync(With(Proto.Input("x", "FP32", [1, 4]), Proto.Bytes(7), Proto.Bytes(7))))
            .Is(3, "expected 1 raw_input_contents");
        (await _client.InferAsync(With(Proto.Input("z", "FP32", [1, 4])))).Is(3, "unexpected inference input 'z'");
        (await _client.InferAsync(Proto.Row("echo", "", Proto.Bytes(6, Proto.Text(1, "q")))))
            .Is(3, "unexpected inference output 'q'");
        (await _client.InferAsync(Proto.Message(Proto.Text(1, "echo")))).Is(3, "expected 1 inputs but got 0");
    }

    [Fact]
    public async Task Parameters_mean_what_they_mean_in_REST()
    {
        byte[] With(string name, byte[] choice) => Proto.Row("echo", "", Proto.Parameter(name, choice));
        Assert.Equal(0, (await _client.InferAsync(With("priority", Proto.Whole(2, 1)))).Status);
        Assert.Equal(0, (await _client.InferAsync(With("timeout", Proto.Whole(5, 60_000_000)))).Status);
        Assert.Equal(0, (await _client.InferAsync(With("sequence_id", Proto.Whole(2, 0)))).Status);
        Assert.Equal(0, (await _client.InferAsync(With("anything", Proto.Text(3, "else")))).Status);
        (await _client.InferAsync(With("priority", Proto.Whole(2, -1))))
            .Is(3, "parameter 'priority' must be a whole number");
        (await _client.InferAsync(With("timeout", Proto.Text(3, "5")))).Is(3, "parameter 'timeout'");
        (await _client.InferAsync(With("sequence_id", Proto.Whole(2, 5)))).Is(12, "sequence");
        (await _client.InferAsync(With("triton_x", Proto.Whole(1, 1)))).Is(3, "'triton_x' is reserved");
    }

    [Fact]
    public async Task A_refusal_that_passes_says_when_to_come_again_to_people_and_to_retry_policies()
    {
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartAsync(GrpcServer.Folder(), new Clock(time));
        var brief = Proto.Row("slow", "", Proto.Parameter("timeout", Proto.Whole(2, 50_000)));
        var reply = (await ExpiredAsync(server, time, brief, ("x-request-id", "late"))).Is(4, "slow");
        Assert.Equal("deadline_exceeded", reply.Header("X-Spillway-Fault"));
        Assert.Equal("late", reply.Header("x-request-id"));
        Assert.Equal(reply.Header("retry-after-ms"), reply.Header("grpc-retry-pushback-ms"));
        Assert.True(int.Parse(reply.Header("retry-after-ms")!, CultureInfo.InvariantCulture) >= 1);
        Assert.Equal("deadline_exceeded", (await server.RecordAsync("late")).GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task The_earlier_of_grpc_timeout_and_the_parameter_counts()
    {
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartAsync(GrpcServer.Folder(), new Clock(time));
        var patient = Proto.Row("slow", "", Proto.Parameter("timeout", Proto.Whole(2, 30_000_000)));
        (await ExpiredAsync(server, time, patient, ("grpc-timeout", "40m"), ("x-request-id", "early"))).Is(4);
        Assert.Equal(40, (await server.RecordAsync("early")).GetProperty("deadline_ms").GetDouble());
    }

    /// <summary>A request to the slow model whose time passes during its run.</summary>
    private static async Task<GrpcReply> ExpiredAsync(
        TestServer server, ManualTimeProvider time, byte[] message, params (string Name, string Value)[] headers)
    {
        using var client = GrpcCalls.Client(server);
        var asked = client.InferAsync(message, headers);
        await server.UntilModelAsync("slow", "active_runs", 1);
        return await TestServer.ThroughAsync(time, asked, stepMs: 1);
    }

    [Fact]
    public async Task A_caller_that_leaves_stops_its_run()
    {
        using var leaving = new CancellationTokenSource();
        var request = GrpcCalls.Request(
            GrpcCalls.Service + "ModelInfer", new ByteArrayContent(Proto.Frame(Proto.Row("slow"))), [("x-request-id",
                "left")]);
        var waits = _client.SendAsync(request, leaving.Token);
        await _server.UntilModelAsync("slow", "active_runs", 1);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits);
        await _server.UntilModelAsync("slow", "active_runs", 0);
        Assert.Equal("cancelled", (await _server.RecordAsync("left")).GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task Large_tensors_travel_both_ways_unharmed()
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder("", ("wide", TestServer.Simulated(
            inputs: "x: \"FP32 [-1,1000000]\"", outputs: "y: \"FP32 [-1,1000000]\""))));
        using var client = GrpcCalls.Client(server);
        var data = new byte[4_000_000];
        new Random(1).NextBytes(data);
        var reply = await client.InferAsync(Proto.Message(
            Proto.Text(1, "wide"), Proto.Input("x", "FP32", [1, 1_000_000]), Proto.Bytes(7, data)));
        Assert.True(data.AsSpan().SequenceEqual(Proto.Field(reply.Message, 6)));
    }

    [Fact]
    public async Task A_model_that_is_still_loading_and_one_that_failed_are_UNAVAILABLE()
    {
        await using var server = await TestServer.StartAsync(
            TestServer.Folder("", ("echo", TestServer.Simulated()), ("bad", "runtime: onnx\n")).Write("bad/model.onnx",
                "no model"), load: false);
        using var client = GrpcCalls.Client(server);
        (await client.InferAsync(Proto.Row("echo"))).Is(14, "loading");
        (await client.CallAsync(GrpcCalls.Service + "ModelMetadata", Proto.Text(1, "echo"))).Is(14, "loading");
        Assert.Equal([2], Proto.Field((await client.CallAsync("/grpc.health.v1.Health/Check", [])).Message, 1).Take(1));
        await server.LoadAsync();
        Assert.Equal(0, (await client.InferAsync(Proto.Row("echo"))).Status);
        (await client.InferAsync(Proto.Row("bad"))).Is(14);
        Assert.Empty((await client.CallAsync(GrpcCalls.Service + "ServerReady", [])).Message);
        Assert.Equal([1], Proto.Field((await client.CallAsync("/grpc.health.v1.Health/Check", Proto.Text(1,
            "echo"))).Message, 1).Take(1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_model_that_is_loaded_on_demand_is_waited_for(bool onStream)
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder("", ("echo", TestServer.Simulated())));
        using var client = GrpcCalls.Client(server);
        var cold = server.Snapshot.Models[0] with { Name = "cold", Serve = s_noOthers };
        Assert.Null(server.Serving.Models.Declare(cold, onDemand: true));
        (await client.CallAsync(GrpcCalls.Service + "ModelMetadata", Proto.Text(1, "cold")))
            .Is(14, "first asked to infer");
        if (onStream)
        {
            await using var call = await GrpcStreamCall.OpenAsync(server);
            await call.SendAsync(Proto.Row("cold"));
            Assert.Equal("", Proto.TextOf((await call.NextAsync())!, 1));
            call.End();
        }
        else
        {
            Assert.Equal(0, (await client.InferAsync(Proto.Row("cold"))).Status);
        }

        Assert.Equal("1", Proto.TextOf((await client.CallAsync(GrpcCalls.Service + "ModelMetadata", Proto.Text(1,
            "cold"))).Message, 2));
    }

    [Fact]
    public async Task Switched_off_it_does_not_listen()
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder("grpcPort: -1", ("echo",
            TestServer.Simulated())));
        Assert.Null(server.Grpc);
        await server.AssertAliveAsync();
    }
}

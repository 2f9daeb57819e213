using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Spillway.Telemetry;

namespace Spillway.Tests.Server;

public sealed class InferTests(SimulatedServer fixture) : IClassFixture<SimulatedServer>
{
    private const string HeaderLength = "Inference-Header-Content-Length";
    private readonly TestServer _server = fixture.Server;

    private static byte[] Floats(params float[] values) => MemoryMarshal.AsBytes<float>(values).ToArray();

    private Task<Reply> BinaryAsync(string model, string json, byte[] tensors, params (string, string)[] more) => _server.InferAsync(
        model, [.. Encoding.UTF8.GetBytes(json), .. tensors], [(HeaderLength, $"{Encoding.UTF8.GetByteCount(json)}"), .. more]);

    [Fact]
    public async Task More_rows_than_the_largest_batch_are_refused_with_the_limit()
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder(
            "", ("m", TestServer.Simulated(more: "batching: { batchRowsMax: 2 }"))));
        var rows = TestServer.Row().Replace("[1,4]", "[3,4]", StringComparison.Ordinal)
            .Replace("[1,2,3,4]", "[1,2,3,4,5,6,7,8,9,10,11,12]", StringComparison.Ordinal);
        (await server.InferAsync("m", rows)).Is(400, "invalid_input", "batch-size must be <= 2 for 'm'", "batchRowsMax");
    }

    [Fact]
    public async Task JSON_in_gives_JSON_out()
    {
        var reply = await _server.InferAsync("echo", """
            {"id":"mine","inputs":[{"name":"x","shape":[2,4],"datatype":"FP32","data":[[1,2,3,4],[5,6,7,8.5]]}]}
            """);
        Assert.Equal(200, reply.Status);
        Assert.Equal("application/json", reply.Header("Content-Type"));
        Assert.Null(reply.Header(HeaderLength));
        Assert.Equal(
            """{"id":"mine","model_name":"echo","model_version":"1","parameters":{"simulated":true},"outputs":[{"name":"y","datatype":"FP32","shape":[2,4],"data":[1,2,3,4,5,6,7,8.5]}]}""",
            reply.Text);
    }

    [Fact]
    public async Task Binary_in_gives_JSON_out_unless_binary_is_asked_for()
    {
        var reply = await BinaryAsync(
            "echo", """{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":16}}]}""", Floats(1, 2, 3, 4));
        Assert.Equal([1, 2, 3, 4], reply.Numbers("y"));
    }

    [Theory]
    [InlineData(""" "parameters":{"binary_data_output":true}, """, "")]
    [InlineData("", """ ,"outputs":[{"name":"y","parameters":{"binary_data":true}}] """)]
    public async Task Binary_in_gives_binary_out_behind_a_JSON_of_the_told_length(string parameters, string outputs)
    {
        var reply = await BinaryAsync(
            "echo", $$$"""{{{{parameters}}}"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":16}}]{{{outputs}}}}""",
            Floats(1, 2, float.NaN, float.PositiveInfinity));
        Assert.Equal(200, reply.Status);
        Assert.Equal("application/octet-stream", reply.Header("Content-Type"));
        var split = int.Parse(reply.Header(HeaderLength)!, System.Globalization.CultureInfo.InvariantCulture);
        var head = reply with { Body = reply.Body[..split] };
        Assert.Equal(16, head.Output("y").GetProperty("parameters").GetProperty("binary_data_size").GetInt32());
        Assert.Equal(Floats(1, 2, float.NaN, float.PositiveInfinity), reply.Body[split..]);
    }

    [Fact]
    public async Task Binary_and_JSON_mix_among_inputs_and_among_outputs()
    {
        byte[] a = [1, 0, 0, 0, 2, 0, 0, 0];
        var reply = await BinaryAsync("pair", """
            {"inputs":[{"name":"b","shape":[1,2],"datatype":"FP32","data":[0.5,1.5]},
            {"name":"a","shape":[1,2],"datatype":"INT32","parameters":{"binary_data_size":8}}],
            "outputs":[{"name":"label"},{"name":"p","parameters":{"binary_data":true}}]}
            """, a);
        var split = int.Parse(reply.Header(HeaderLength)!, System.Globalization.CultureInfo.InvariantCulture);
        var head = reply with { Body = reply.Body[..split] };
        Assert.Equal(["label", "p"], head.Json.GetProperty("outputs").EnumerateArray().Select(o => o.GetProperty("name").GetString()!));
        Assert.Equal("simulated", head.Output("label").GetProperty("data")[0].GetString());
        Assert.Equal(a, reply.Body[split..]);
    }

    [Fact]
    public async Task Only_the_outputs_asked_for_come()
    {
        var reply = await _server.InferAsync("pair/versions/3", """
            {"inputs":[{"name":"a","shape":[1,2],"datatype":"INT32","data":[7,8]},{"name":"b","shape":[1,2],"datatype":"FP32","data":[1,2]}],
            "outputs":[{"name":"p"}]}
            """);
        Assert.Single(reply.Json.GetProperty("outputs").EnumerateArray());
        Assert.Equal([7, 8], reply.Numbers("p"));
        Assert.Equal("3", reply.Json.GetProperty("model_version").GetString());
    }

    [Fact]
    public async Task A_raw_body_is_answered_in_binary_and_with_Accept_in_JSON()
    {
        var body = Floats(1, 2, 3, 4);
        var binary = await _server.InferAsync("echo", body, [(HeaderLength, "0")]);
        Assert.Equal("application/octet-stream", binary.Header("Content-Type"));
        Assert.Equal(body, binary.Body[^16..]);

        var json = await _server.InferAsync("echo", body, [(HeaderLength, "0"), ("Accept", "application/json")]);
        Assert.Equal("application/json", json.Header("Content-Type"));
        Assert.Equal([1, 2, 3, 4], json.Numbers("y"));
    }

    [Fact]
    public async Task A_raw_body_of_a_BYTES_input_is_one_bare_string()
    {
        var reply = await _server.InferAsync("words", "any bytes at all"u8.ToArray(), [(HeaderLength, "0"), ("Accept", "application/json")]);
        Assert.Equal("""["simulated"]""", reply.Output("label").GetProperty("data").GetRawText());
        var record = await _server.RecordAsync(reply.Header("X-Request-Id")!);
        Assert.Equal(1, record.GetProperty("rows").GetInt32());
    }

    [Fact]
    public async Task Priority_and_timeout_are_taken_and_the_timeout_is_the_deadline()
    {
        var reply = await _server.InferRowAsync("echo", "\"priority\":1,\"timeout\":30000000,\"whatever\":\"else\"");
        Assert.True(reply.Status == 200, reply.Text);
        var record = await _server.RecordAsync(reply.Header("X-Request-Id")!);
        Assert.Equal(30000, record.GetProperty("deadline_ms").GetDouble());
        Assert.Contains("deadline_explicit", MetadataTests.Decisions(record));
    }

    [Fact]
    public async Task A_callers_request_id_comes_back_and_finds_the_record()
    {
        var reply = await _server.InferRowAsync("echo", id: "order-66/a");
        Assert.Equal("order-66/a", reply.Header("X-Request-Id"));
        var record = await _server.RecordAsync("order-66%2Fa");
        Assert.Equal(("ok", 200), (record.GetProperty("outcome").GetString(), record.GetProperty("status").GetInt32()));
        Assert.Equal(reply.Body.Length, record.GetProperty("bytes_out").GetInt64());
        Assert.True(record.GetProperty("simulated").GetBoolean());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("\u001b[31mred")]
    public async Task An_id_that_is_unfit_for_a_terminal_is_replaced(string id)
    {
        var raw = await RawConnection.AskAsync(
            _server.Address, RawConnection.InferHead("echo", $"X-Request-Id: {id}\r\nContent-Length: 0\r\n"));
        // Kestrel refuses control characters in a header before anything here sees them.
        if (raw.StartsWith("HTTP/1.1 400", StringComparison.Ordinal) && !raw.Contains("X-Request-Id", StringComparison.Ordinal))
            Assert.Contains('\u001b', id);
        else
            Assert.Matches("X-Request-Id: [0-9a-f]{16}\r\n", raw);
    }

    [Fact]
    public async Task A_trace_goes_on_with_a_span_of_ours_and_begins_where_there_is_none()
    {
        var given = await _server.InferAsync("echo", TestServer.Row(), ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        Assert.Matches("^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$", given.Header("traceparent"));
        var record = await _server.RecordAsync(given.Header("X-Request-Id")!);
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", record.GetProperty("trace_id").GetString());

        var broken = await _server.InferAsync("echo", TestServer.Row(), ("traceparent", "00-00000000000000000000000000000000-b7ad6b7169203331-01"));
        Assert.Matches("^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-00$", broken.Header("traceparent"));
    }

    [Fact]
    public async Task Server_Timing_has_every_stage_and_their_sum_on_answers_and_on_refusals()
    {
        foreach (var body in new[] { TestServer.Row(), "{" })
        {
            var header = (await _server.InferAsync("echo", body)).Header("Server-Timing")!;
            var parts = header.Split(", ").Select(p => p.Split(";dur=")).ToList();
            Assert.Equal(
                ["receive", "parse", "gate", "cache", "queue", "batch", "execute", "output", "total"], parts.Select(p => p[0]));
            var values = parts.Select(p => decimal.Parse(p[1], System.Globalization.CultureInfo.InvariantCulture)).ToList();
            Assert.Equal(values[..^1].Sum(), values[^1]);
            Assert.True(values[^1] > 0);
            Assert.True(ServerTiming.TryParse(header, out _));
        }
    }

    [Fact]
    public async Task The_stages_of_a_record_are_its_total_and_reach_beyond_the_header()
    {
        var reply = await _server.InferRowAsync("echo");
        var record = await _server.RecordAsync(reply.Header("X-Request-Id")!);
        var stages = record.GetProperty("stages").EnumerateArray().ToDictionary(
            s => s.GetProperty("stage").GetString()!, s => s.GetProperty("ms").GetDecimal());
        Assert.Equal(9, stages.Count);
        Assert.Equal(stages.Values.Sum(), record.GetProperty("total_ms").GetDecimal());
        var header = reply.Header("Server-Timing")!.Split("total;dur=")[1];
        var total = decimal.Parse(header, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(record.GetProperty("total_ms").GetDecimal(), total + stages["write"]);
    }

    [Fact]
    public async Task A_runtime_that_fails_is_a_500_that_says_so_and_the_server_goes_on()
    {
        (await _server.InferRowAsync("broken")).Is(500, "runtime_failed", "simulated fault of model broken");
        await _server.AssertAliveAsync();
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public async Task An_output_that_JSON_cannot_write_is_an_error_that_says_how_to_get_it(float value)
    {
        var json = """{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":16}}]}""";
        var reply = await BinaryAsync("echo", json, Floats(1, 2, value, 4));
        Assert.InRange(reply.Status, 400, 599);
        Assert.Contains("output 'y' holds NaN or Infinity", reply.Error, StringComparison.Ordinal);
        Assert.Contains("binary", reply.Error, StringComparison.Ordinal);
        await _server.AssertAliveAsync();
    }

    [Fact]
    public async Task A_BYTES_tensor_with_a_lying_element_length_is_refused()
    {
        var element = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(element, uint.MaxValue);
        var json = """{"inputs":[{"name":"w","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":8}}]}""";
        (await BinaryAsync("words", json, element)).Is(400, "invalid_input", "'w'");
    }
}

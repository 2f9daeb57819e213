using System.Text;

namespace Spillway.Tests.Server;

/// <summary>Requests whose JSON lies or is none: a clear 4xx each, and the server alive.</summary>
public sealed class HostileRequestTests(SimulatedServer fixture) : IClassFixture<SimulatedServer>
{
    private readonly TestServer _server = fixture.Server;

    private async Task RefusedAsync(string json, params string[] says)
    {
        (await _server.InferAsync("echo", json)).Is(400, "invalid_input", says);
        await _server.AssertAliveAsync();
    }

    [Theory]
    [InlineData("", "The request body is empty")]
    [InlineData(" ", "failed to parse the request JSON buffer")]
    [InlineData("{", "failed to parse the request JSON buffer")]
    [InlineData("nonsense", "failed to parse the request JSON buffer")]
    [InlineData("[]", "object")]
    [InlineData("{}", "inputs")]
    [InlineData("{\"inputs\":[]}", "x")]
    [InlineData("{\"inputs\":{}}", "'inputs'")]
    [InlineData("{\"inputs\":[1]}", "object")]
    [InlineData("{\"inputs\":[{}]}", "'name'")]
    [InlineData("{\"id\":7,\"inputs\":[]}", "'id'")]
    [InlineData("{\"inputs\":[{\"name\":\"z\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1]}]}", "unexpected inference input 'z'")]
    [InlineData("{\"inputs\":[{\"name\":\"x\",\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[1,2,3,4]}]}trailing", "failed to parse")]
    [InlineData("{\"inputs\":[{\"name\":\"x\",\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[1,2,3,4],}]}", "failed to parse")]
    public Task Malformed_JSON_is_a_400_that_says_where(string json, string says) => RefusedAsync(json, says);

    [Theory]
    [InlineData("\"shape\":[1,4],\"datatype\":\"INT32\",\"data\":[1,2,3,4]", "data-type is 'INT32', but model 'echo' expects 'FP32'")]
    [InlineData("\"shape\":[1,4],\"datatype\":\"FP33\",\"data\":[1,2,3,4]", "invalid datatype 'FP33'")]
    [InlineData("\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[1,2,3,\"4\"]", "element 3 of input 'x' is not a number")]
    [InlineData("\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[1,2,3,null]", "element 3 of input 'x' is not a number")]
    [InlineData("\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":\"1234\"", "'data'")]
    [InlineData("\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[1,2,3]", "holds 3")]
    [InlineData("\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[1,2,3,4,5]", "holds more")]
    [InlineData("\"shape\":[1,4],\"datatype\":\"FP32\"", "'data'")]
    [InlineData("\"shape\":[1,5],\"datatype\":\"FP32\",\"data\":[1,2,3,4,5]", "unexpected shape for input 'x' for model 'echo'. Expected [-1,4], got [1,5].")]
    [InlineData("\"shape\":[4],\"datatype\":\"FP32\",\"data\":[1,2,3,4]", "unexpected shape")]
    [InlineData("\"shape\":\"1,4\",\"datatype\":\"FP32\",\"data\":[1,2,3,4]", "'shape'")]
    [InlineData("\"shape\":[1.5,4],\"datatype\":\"FP32\",\"data\":[1,2,3,4]", "'shape'")]
    [InlineData("\"shape\":[-1,4],\"datatype\":\"FP32\",\"data\":[1,2,3,4]", "")]
    [InlineData("\"shape\":[1,-4],\"datatype\":\"FP32\",\"data\":[1,2,3,4]", "")]
    [InlineData("\"shape\":[0,4],\"datatype\":\"FP32\",\"data\":[]", "batch-size must be >= 1")]
    [InlineData("\"shape\":[9223372036854775807,4],\"datatype\":\"FP32\",\"data\":[1,2,3,4]", "overflow")]
    [InlineData("\"shape\":[99999999999999999999,4],\"datatype\":\"FP32\",\"data\":[1]", "'shape'")]
    [InlineData("\"shape\":[4611686018427387904,4],\"datatype\":\"FP32\",\"data\":[1]", "overflow")]
    [InlineData("\"shape\":[1,1,1,1,1,1,1,1,1,1,1,1],\"datatype\":\"FP32\",\"data\":[1]", "dimensions")]
    [InlineData("\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[1,2,3,NaN]", "NaN or Infinity")]
    [InlineData("\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[1,2,3,Infinity]", "NaN or Infinity")]
    [InlineData("\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[1,2,3,1e999]", "out of the range of FP32")]
    [InlineData("\"shape\":[1,4],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":16}", "must specify valid 'Infer-Header-Content-Length'")]
    [InlineData("\"shape\":[1,4],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":-1}", "'binary_data_size'")]
    public Task An_input_that_does_not_fit_is_a_400_that_names_it(string input, string says) =>
        RefusedAsync($$"""{"inputs":[{"name":"x",{{input}}}]}""", says);

    [Fact]
    public async Task A_shape_of_terabytes_is_refused_by_what_its_data_can_hold() =>
        (await _server.InferAsync("echo", """{"inputs":[{"name":"x","shape":[1099511627776,4],"datatype":"FP32","data":[1,2,3,4]}]}"""))
            .Is(400, "invalid_input", "4398046511104 elements, its 'data' has room for fewer");

    [Fact]
    public async Task Duplicate_inputs_and_outputs_are_refused()
    {
        const string x = """{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}""";
        await RefusedAsync($$"""{"inputs":[{{x}},{{x}}]}""", "input 'x' already exists in request");
        await RefusedAsync($$"""{"inputs":[{{x}}],"outputs":[{"name":"y"},{"name":"y"}]}""", "output 'y' already exists in request");
        await RefusedAsync($$"""{"inputs":[{{x}}],"inputs":[{{x}}]}""", "twice");
        await RefusedAsync($$"""{"inputs":[{{x}}],"outputs":[{"name":"q"}]}""", "unexpected inference output 'q'");
    }

    [Theory]
    [InlineData("[", 30_000)]
    [InlineData("{\"a\":", 6_000)]
    public async Task Deep_nesting_is_refused_wherever_it_stands(string open, int times)
    {
        var deep = new StringBuilder().Insert(0, open, times).ToString();
        await RefusedAsync(deep);
        await RefusedAsync($$"""{"whatever":{{deep}}""");
        await RefusedAsync($$"""{"parameters":{"p":{{deep}}""");
        await RefusedAsync($$"""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":{{deep}}""");
    }

    [Theory]
    [InlineData("\"priority\":-1")]
    [InlineData("\"priority\":\"high\"")]
    [InlineData("\"timeout\":1.5")]
    [InlineData("\"timeout\":-1")]
    [InlineData("\"binary_data_output\":\"yes\"")]
    [InlineData("\"triton_anything\":1")]
    public async Task A_parameter_of_a_wrong_kind_is_refused_by_name(string parameter) =>
        (await _server.InferRowAsync("echo", parameter)).Is(400, "invalid_input", parameter.Split('"')[1]);

    [Fact]
    public async Task A_timeout_that_no_clock_can_hold_is_cut_to_the_longest_allowed()
    {
        var reply = await _server.InferRowAsync("echo", "\"timeout\":18446744073709551615");
        Assert.True(reply.Status == 200, reply.Text);
        var record = await _server.RecordAsync(reply.Header("X-Request-Id")!);
        Assert.Equal(600_000, record.GetProperty("deadline_ms").GetDouble());
        Assert.Contains("deadline_cut", MetadataTests.Decisions(record));
    }

    [Theory]
    [InlineData("\"sequence_id\":7", "sequence_id")]
    [InlineData("\"sequence_id\":\"s\"", "sequence_id")]
    public async Task What_the_protocol_has_and_this_server_has_not_is_a_501(string parameter, string says) =>
        (await _server.InferRowAsync("echo", parameter)).Is(501, "unsupported", says);

    [Theory]
    [InlineData("-1")]
    [InlineData("-2147483649")]
    [InlineData("99999999999999999999")]
    [InlineData("2147483647")]
    [InlineData("ten")]
    [InlineData("1.5")]
    [InlineData("0x10")]
    [InlineData("")]
    public async Task A_lying_header_length_is_refused_with_its_range(string length)
    {
        var body = TestServer.Row();
        var raw = await RawConnection.AskAsync(_server.Address,
            RawConnection.InferHead("echo", $"Inference-Header-Content-Length: {length}\r\nContent-Length: {body.Length}\r\n") + body);
        Assert.StartsWith("HTTP/1.1 400", raw, StringComparison.Ordinal);
        Assert.Contains($"inference header size should be in range (0, {body.Length}), got: {length}", raw, StringComparison.Ordinal);
        await _server.AssertAliveAsync();
    }

    [Theory]
    [InlineData(10, "failed to parse")]
    [InlineData(-1, "failed to parse")]
    public async Task A_header_length_inside_the_JSON_leaves_broken_JSON(int length, string says)
    {
        var body = Encoding.UTF8.GetBytes(TestServer.Row());
        var told = length > 0 ? length : body.Length + length;
        (await _server.InferAsync("echo", body, [("Inference-Header-Content-Length", $"{told}")])).Is(400, "invalid_input", says);
    }

    [Theory]
    [InlineData(12, 12, "Expected 16, got 12")]
    [InlineData(16, 12, "expecting 4 additional bytes")]
    [InlineData(16, 20, "unexpected additional input data for model 'echo'")]
    [InlineData(int.MaxValue, 16, "")]
    public async Task Binary_data_of_another_size_than_told_is_refused(int told, int sent, string says)
    {
        var json = Encoding.UTF8.GetBytes(
            $$$"""{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":{{{told}}}}}]}""");
        var reply = await _server.InferAsync("echo", [.. json, .. new byte[sent]], [("Inference-Header-Content-Length", $"{json.Length}")]);
        reply.Is(400, "invalid_input", says);
    }

    [Fact]
    public async Task A_raw_body_of_no_whole_number_of_rows_or_none_is_refused()
    {
        (await _server.InferAsync("echo", new byte[15], [("Inference-Header-Content-Length", "0")])).Is(400, "invalid_input", "15");
        (await _server.InferAsync("echo", [], [("Inference-Header-Content-Length", "0")])).Is(400, "invalid_input", "empty");
        (await _server.InferAsync("pair", new byte[16], [("Inference-Header-Content-Length", "0")])).Is(400, "invalid_input", "Raw request must only have 1 input");
    }
}

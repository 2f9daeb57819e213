using System.Runtime.InteropServices;
using System.Text;
using Spillway.Protocols.OpenInference;

namespace Spillway.Tests.Protocols.OpenInference;

/// <summary>Requests in every form, right and wrong. This file is long because each form has its own test.</summary>
public sealed class InferRequestReaderTests
{
    internal static readonly Signature Pair = new(
        [new("a", DataType.Float32, new([-1, 2])), new("b", DataType.Int32, new([-1, 1]))],
        [new("y", DataType.Float32, new([-1, 2])), new("z", DataType.Bytes, new([-1]))],
        Batched: true);

    private static readonly Signature s_one = new(
        [new("x", DataType.Float32, new([-1, 16]))], [new("y", DataType.Float32, new([-1, 2]))], Batched: true);

    private static readonly Signature s_text = new(
        [new("image", DataType.Bytes, new([-1]))], [new("y", DataType.Float32, new([-1]))], Batched: true);

    private const string GoodB = """{"name":"b","shape":[1,1],"datatype":"INT32","data":[7]}""";
    private const string GoodA = """{"name":"a","shape":[1,2],"datatype":"FP32","data":[1,2]}""";

    [Theory]
    [InlineData("""{"inputs":[{"name":"a","shape":[1,2],"datatype":"FP32","data":[1,2]},{"name":"b","shape":[1,1],"datatype":"INT32","data":[7]}]}""")]
    [InlineData("""{"inputs":[{"data":[[7]],"datatype":"INT32","name":"b","shape":[1,1]},{"data":[[1.0,2e0]],"shape":[1,2],"datatype":"FP32","name":"a"}]}""")]
    [InlineData(""" { "x" : [ { } , "\u0041" ] , "inputs" : [ { "n\u0061me" : "\u0061" , "shape" : [ 1 , 2 ] , "datatype" : "FP32" , "parameters" : null , "data" : [ 1 , 2 ] , "more" : { "a" : [ ] } } , { "name" : "b" , "shape" : [ 1 , 1 ] , "datatype" : "INT32" , "parameters" : { "p" : 1 } , "data" : [ 7 ] } ] , "id" : null , "outputs" : [ ] , "parameters" : { } } """)]
    public void Inputs_come_in_the_signatures_order_whatever_the_order_of_keys(string json)
    {
        var request = Read(json);
        Assert.Equal(2, request.Inputs.Count);
        Assert.Equal([1f, 2f], Values<float>(request, 0));
        Assert.Equal([7], Values<int>(request, 1));
        Assert.Equal(new Shape([1, 2]), request.Inputs[0].Shape);
        Assert.Equal((1, DataType.Int32), (request.Inputs[1].Port, request.Inputs[1].Type));
        Assert.Empty(request.Outputs);
        Assert.Equal("", request.Id);
    }

    [Fact]
    public void Id_parameters_and_outputs_are_taken()
    {
        var request = Read($$$"""
            {"id":"r-1 \u00e9","parameters":{"priority":2,"timeout":1500,"binary_data_output":true,"other":"x","sequence_id":0},
             "outputs":[{"name":"z","parameters":{"binary_data":false,"classification":0}},{"parameters":{},"name":"y"}],
             "inputs":[{{{GoodA}}},{{{GoodB}}}]}
            """);
        Assert.Equal(("r-1 é", 2, TimeSpan.FromMicroseconds(1500)), (request.Id, request.Priority, request.Timeout));
        Assert.True(request.BinaryOutputs);
        Assert.Equal([new(1, false), new(0, null)], request.Outputs);
    }

    [Theory]
    [InlineData("", null, false, false)]
    [InlineData("\"sequence_id\":0,\"sequence_start\":true", null, false, false)]
    [InlineData("\"sequence_id\":\"\"", null, false, false)]
    [InlineData("\"sequence_end\":true", null, false, false)]
    [InlineData("\"sequence_id\":18446744073709551615", "18446744073709551615", false, false)]
    [InlineData("\"sequence_start\":true,\"sequence_end\":false,\"sequence_id\":7", "7", true, false)]
    [InlineData("\"sequence_id\":\"caf\\u00e9\",\"sequence_end\":true", "café", false, true)]
    public void A_sequence_is_taken_with_its_flags_in_any_order(string parameters, string? id, bool start, bool end)
    {
        var mark = Read($$"""{"parameters":{{{parameters}}},"inputs":[{{GoodA}},{{GoodB}}]}""").Sequence;
        Assert.Equal(id is not null, mark.HasValue);
        Assert.Equal((id, start, end), (mark?.Key.ToString(), mark?.Start ?? false, mark?.End ?? false));
    }

    [Theory]
    [InlineData("\"sequence_id\":-1", "sequence_id")]
    [InlineData("\"sequence_id\":1.5", "sequence_id")]
    [InlineData("\"sequence_id\":true", "sequence_id")]
    [InlineData("\"sequence_id\":18446744073709551616", "sequence_id")]
    [InlineData("\"sequence_start\":1", "sequence_start")]
    [InlineData("\"sequence_end\":\"true\"", "sequence_end")]
    public void A_sequence_of_a_wrong_kind_is_refused_by_name(string parameters, string name)
    {
        var json = Encoding.UTF8.GetBytes($$"""{"parameters":{{{parameters}}},"inputs":[]}""");
        var fault = InferRequestReader.Read(json, null, Pair, "m", new InferenceRequest());
        Assert.Equal(FaultKind.InvalidInput, fault!.Kind);
        Assert.Contains($"parameter '{name}' must be", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void A_sequence_may_have_a_name_of_128_bytes(int length, bool taken)
    {
        var json = $$"""{"parameters":{"sequence_id":"{{new string('s', length)}}"},"inputs":[{{GoodA}},{{GoodB}}]}""";
        var fault = InferRequestReader.Read(Encoding.UTF8.GetBytes(json), null, Pair, "m", new InferenceRequest());
        Assert.Equal(taken, fault is null);
        if (!taken)
            Assert.Contains("has 129 bytes; at most 128", fault!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3", 3)]
    [InlineData("1", 1)]
    [InlineData("0", 0)]
    [InlineData("18446744073709551615", int.MaxValue)]
    public void Classes_are_asked_for_by_number_and_0_asks_for_none(string asked, int classes)
    {
        var output = $$"""{"parameters":{"classification":{{asked}} },"name":"y"}""";
        var request = Read($$"""{"outputs":[{{output}}],"inputs":[{{GoodA}},{{GoodB}}]}""");
        Assert.Equal(classes, request.Outputs.Single().Classes);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("\"3\"")]
    [InlineData("true")]
    public void A_number_of_classes_that_is_none_is_refused(string asked)
    {
        var json = $$$"""{"outputs":[{"name":"y","parameters":{"classification":{{{asked}}} } } ]}""";
        var fault = InferRequestReader.Read(Encoding.UTF8.GetBytes(json), null, Pair, "m", new InferenceRequest());
        Assert.Contains("parameter 'classification' must be a whole number", fault!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0", null)]
    [InlineData("1", 10L)]
    [InlineData("18446744073709551615", 9223372036854775800L)]
    public void A_timeout_is_in_microseconds_and_0_is_the_default(string timeout, long? ticks)
    {
        var request = Read($$"""{"parameters":{"timeout":{{timeout}} },"inputs":[{{GoodA}},{{GoodB}}]}""");
        Assert.Equal(ticks, request.Timeout?.Ticks);
    }

    [Fact]
    public void Binary_inputs_refer_to_the_body_and_mix_with_json_ones()
    {
        var head = """{"inputs":[{"name":"b","shape":[2,1],"datatype":"INT32","parameters":{"binary_data_size":8}},{"name":"a","shape":[2,2],"datatype":"FP32","data":[1,2,3,4]}]}""";
        var body = Body(head, [5, 0, 0, 0, 6, 0, 0, 0]);
        var request = new InferenceRequest();
        Assert.Null(InferRequestReader.Read(body, head.Length, Pair, "m", request));
        Assert.Equal([5, 6], Values<int>(request, 1));
        Assert.Equal([1f, 2f, 3f, 4f], Values<float>(request, 0));
        Assert.True(MemoryMarshal.TryGetArray(request.Inputs[1].Data, out var segment));
        Assert.Same(body, segment.Array);
        Assert.Equal(head.Length, segment.Offset);
    }

    [Fact]
    public void Binary_inputs_lie_in_the_order_of_the_json_not_of_the_model()
    {
        var head = """{"inputs":[{"name":"b","datatype":"INT32","shape":[1,1],"parameters":{"binary_data_size":4}},{"name":"a","parameters":{"binary_data_size":8},"shape":[1,2],"datatype":"FP32"}]}""";
        var request = new InferenceRequest();
        var body = Body(head, [9, 0, 0, 0, .. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2f)]);
        Assert.Null(InferRequestReader.Read(body, head.Length, Pair, "m", request));
        Assert.Equal([9], Values<int>(request, 1));
        Assert.Equal([1.5f, -2f], Values<float>(request, 0));
    }

    // The texts that clients and Triton's own tests look for.
    [Theory]
    [InlineData("", "failed to parse the request JSON buffer: The document is empty. at 0")]
    [InlineData("[1]", "failed to parse the request JSON buffer: expected an object at 0")]
    [InlineData("{\"inputs\":[}", "failed to parse the request JSON buffer: expected")]
    [InlineData("{} x", "failed to parse the request JSON buffer: expected the end of the document at 3")]
    [InlineData("{}", "Unable to parse 'inputs': attempt to access non-existing object member 'inputs'")]
    [InlineData("{\"inputs\":5}", "Unable to parse 'inputs': attempt to access JSON non-array as array")]
    [InlineData("{\"inputs\":[5]}", "Unable to parse 'inputs': attempt to access JSON non-object as object")]
    [InlineData("{\"inputs\":[],\"inputs\":[]}", "'inputs' appears twice in the request")]
    [InlineData("{\"id\":5,\"inputs\":[]}", "Unable to parse 'id': attempt to access JSON non-string as string")]
    [InlineData("{\"inputs\":[{A}]}", "expected 2 inputs but got 1 inputs for model 'm'. Got input(s) ['a'], but missing required input(s) ['b']. Please provide all required input(s).")]
    [InlineData("{\"inputs\":[{A},{A},{B}]}", "input 'a' already exists in request")]
    [InlineData("{\"inputs\":[{A},{B},{\"name\":\"z\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1]}]}", "unexpected inference input 'z' for model 'm'")]
    [InlineData("{\"inputs\":[{B},{\"name\":\"a\",\"shape\":[1,2],\"datatype\":\"FP64\",\"data\":[1,2]}]}", "inference input 'a' data-type is 'FP64', but model 'm' expects 'FP32'")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[1,2],\"datatype\":\"FLOAT\",\"data\":[1,2]}]}", "invalid datatype 'FLOAT'")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[1,3],\"datatype\":\"FP32\",\"data\":[1,2,3]}]}", "unexpected shape for input 'a' for model 'm'. Expected [-1,2], got [1,3].")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[-1,2],\"datatype\":\"FP32\",\"data\":[1,2]}]}", "unexpected shape for input 'a' for model 'm'. Expected [-1,2], got [-1,2].")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[9223372036854775807,2],\"datatype\":\"FP32\",\"data\":[1,2]}]}", "element count overflow")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[9223372036854775808,2],\"datatype\":\"FP32\",\"data\":[1,2]}]}", "Unable to parse 'shape': attempt to access JSON non-unsigned-integer as unsigned-integer")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[1.0,2],\"datatype\":\"FP32\",\"data\":[1,2]}]}", "Unable to parse 'shape': attempt")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[1,1,1,1,1,1,1,1,1],\"datatype\":\"FP32\",\"data\":[1]}]}", "more than 8 dimensions")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[1000000000,2],\"datatype\":\"FP32\",\"data\":[1,2]}]}", "Unable to parse 'data': Shape does not match true shape of 'data' field")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[2,2],\"datatype\":\"FP32\",\"data\":[1,2,3]},{B}]}", "Unable to parse 'data': Shape does not match true shape of 'data' field: input 'a' with shape [2,2] has 4 elements, its 'data' holds 3")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[1,2,3]},{B}]}", "Unable to parse 'data': Shape does not match true shape of 'data' field")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[0,2],\"datatype\":\"FP32\",\"data\":[]},{B}]}", "inference request batch-size must be >= 1 for 'm'")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[2,2],\"datatype\":\"FP32\",\"data\":[1,2,3,4]},{B}]}", "input 'b' batch size does not match other inputs for 'm'")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[1,NaN]},{B}]}", "NaN or Infinity, which JSON does not have; send this input in the binary format")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[1,\"2\"]},{B}]}", "element 1 of input 'a' is not a number, as FP32 asks for")]
    [InlineData("{\"inputs\":[{\"name\":\"b\",\"shape\":[1,1],\"datatype\":\"INT32\",\"data\":[2147483648]}]}", "element 0 of input 'b' is out of the range of INT32")]
    [InlineData("{\"inputs\":[{\"name\":\"b\",\"shape\":[1,1],\"datatype\":\"INT32\",\"data\":[1.5]}]}", "has a fraction or an exponent; INT32 takes whole numbers only")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[1,2],\"data\":[1,2]}]}", "attempt to access non-existing object member 'datatype'")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[1,2],\"datatype\":\"FP32\"}]}", "attempt to access non-existing object member 'data'")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":7}]}", "Unable to parse 'data': attempt to access JSON non-array as array")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"shape\":[1,2],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":8}}]}", "must specify valid 'Infer-Header-Content-Length' in request header and 'binary_data_size' when passing inputs in binary data format")]
    [InlineData("{\"outputs\":[{\"name\":\"y\"},{\"name\":\"y\"}],\"inputs\":[]}", "output 'y' already exists in request")]
    [InlineData("{\"outputs\":[{\"name\":\"q\"}],\"inputs\":[]}", "unexpected inference output 'q' requested for model 'm'")]
    [InlineData("{\"outputs\":[{\"name\":\"y\",\"parameters\":{\"binary_data\":1}}]}", "parameter 'binary_data' must be true or false")]
    [InlineData("{\"parameters\":{\"timeout\":-1}}", "parameter 'timeout' must be a whole number")]
    [InlineData("{\"parameters\":{\"timeout\":1.5}}", "parameter 'timeout' must be a whole number")]
    [InlineData("{\"parameters\":{\"timeout\":\"1\"}}", "parameter 'timeout' must be a whole number")]
    [InlineData("{\"parameters\":{\"priority\":99999999999999999999}}", "parameter 'priority' must be a whole number")]
    [InlineData("{\"parameters\":{\"binary_data_output\":\"yes\"}}", "parameter 'binary_data_output' must be true or false")]
    [InlineData("{\"parameters\":{\"triton_x\":1}}", "parameter 'triton_x' is reserved")]
    [InlineData("{\"parameters\":{\"x\":{}}}", "parameter 'x' has invalid type")]
    [InlineData("{\"parameters\":[]}", "Unable to parse 'parameters': attempt to access JSON non-object as object")]
    public void A_bad_request_is_refused_in_the_words_that_clients_know(string json, string text)
    {
        json = json.Replace("{A}", GoodA, StringComparison.Ordinal).Replace("{B}", GoodB, StringComparison.Ordinal);
        var fault = InferRequestReader.Read(Encoding.UTF8.GetBytes(json), null, Pair, "m", new InferenceRequest());
        Assert.NotNull(fault);
        Assert.Equal(FaultKind.InvalidInput, fault.Kind);
        Assert.Contains(text, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"outputs\":[{\"name\":\"y\",\"parameters\":{\"shared_memory_region\":\"r\"}}]}", "shared memory")]
    [InlineData("{\"inputs\":[{\"name\":\"a\",\"parameters\":{\"shared_memory_region\":\"r\"}}]}", "shared memory")]
    public void What_is_not_offered_says_so(string json, string text)
    {
        var fault = InferRequestReader.Read(Encoding.UTF8.GetBytes(json), null, Pair, "m", new InferenceRequest());
        Assert.Equal(FaultKind.Unsupported, fault!.Kind);
        Assert.Contains(text, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64, 64, null)]
    [InlineData(64, 60, "unexpected size for input 'x', expecting 4 additional bytes for model 'm'")]
    [InlineData(64, 65, "unexpected additional input data for model 'm'")]
    [InlineData(60, 60, "input byte size mismatch for input 'x' for model 'm'. Expected 64, got 60")]
    [InlineData(long.MaxValue, 64, "unexpected size for input 'x', expecting")]
    public void Declared_and_sent_bytes_must_agree(long declared, int sent, string? text)
    {
        var head = $$$"""{"inputs":[{"name":"x","shape":[1,16],"datatype":"FP32","parameters":{"binary_data_size":{{{declared}}}}}]}""";
        var fault = InferRequestReader.Read(Body(head, new byte[sent]), head.Length, s_one, "m", new InferenceRequest());
        Assert.Equal(text is null, fault is null);
        Assert.StartsWith(text ?? "", fault?.Message ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[] { 1, 0, 0, 0, 65, 0, 0, 0, 0 }, null)]
    [InlineData(new byte[] { 1, 0, 0, 0, 65 }, "expected 2 string elements for inference input 'image' for model 'm', got 1")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, "unexpected number of string elements 3 for inference input 'image' for model 'm', expecting 2")]
    [InlineData(new byte[] { 1, 0, 0, 0, 65, 9, 9 }, "incomplete string length indicator for inference input 'image' for model 'm', expecting 4 bytes but only 2 bytes available")]
    [InlineData(new byte[] { 255, 255, 255, 255, 65 }, "incomplete string data for inference input 'image' for model 'm', expecting string of length 4294967295 but only 1 bytes available")]
    public void Lengths_inside_bytes_tensors_must_add_up(byte[] data, string? text)
    {
        var head = $$$"""{"inputs":[{"name":"image","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":{{{data.Length}}}}}]}""";
        var fault = InferRequestReader.Read(Body(head, data), head.Length, s_text, "m", new InferenceRequest());
        Assert.Equal(text, fault?.Message);
    }

    [Fact]
    public void Json_strings_become_a_bytes_tensor()
    {
        var request = new InferenceRequest();
        var json = """{"inputs":[{"name":"image","shape":[2],"datatype":"BYTES","data":["\u00e9","ab"]}]}"""u8.ToArray();
        Assert.Null(InferRequestReader.Read(json, null, s_text, "m", request));
        Assert.Equal([2, 0, 0, 0, 0xC3, 0xA9, 2, 0, 0, 0, 97, 98], request.Inputs[0].Data.ToArray());
    }

    [Theory]
    [InlineData(null, true, null)]
    [InlineData("0", true, 0)]
    [InlineData("100", true, 100)]
    [InlineData("101", false, null)]
    [InlineData("-1", false, null)]
    [InlineData("abc", false, null)]
    [InlineData("", false, null)]
    [InlineData("1.5", false, null)]
    [InlineData("99999999999", false, null)]
    public void The_header_length_lies_within_the_body(string? value, bool good, int? length)
    {
        var fault = InferRequestReader.ParseHeaderLength(value, 100, out var parsed);
        Assert.Equal(length, parsed);
        Assert.Equal(good ? null : $"inference header size should be in range (0, 100), got: {value}", fault?.Message);
    }

    [Fact]
    public void A_raw_picture_is_one_element_with_its_length_before_it()
    {
        var request = new InferenceRequest();
        Assert.Null(InferRequestReader.ReadRaw(new byte[] { 7, 8, 9 }, s_text, "m", request));
        Assert.Equal([3, 0, 0, 0, 7, 8, 9], request.Inputs[0].Data.ToArray());
        Assert.Equal(new Shape([1]), request.Inputs[0].Shape);
        Assert.True(request.BinaryOutputs);

        request.Reset();
        var buffer = new byte[] { 1, 1, 1, 1, 7, 8, 9 };
        Assert.Null(InferRequestReader.ReadRawInPlace(buffer, s_text, "m", request));
        Assert.Equal([3, 0, 0, 0, 7, 8, 9], request.Inputs[0].Data.ToArray());
        Assert.True(MemoryMarshal.TryGetArray(request.Inputs[0].Data, out var segment) && segment.Array == buffer);
    }

    [Theory]
    [InlineData(new long[] { -1, 16 }, 64, "[1,16]")]
    [InlineData(new long[] { -1, 3, -1 }, 48, "[1,3,4]")]
    [InlineData(new long[] { -1, -1 }, 0, "[1,0]")]
    [InlineData(new long[] { -1, 16 }, 60, "input byte size mismatch for input 'x' for model 'm'. Expected 64, got 60")]
    [InlineData(new long[] { -1, 3, -1 }, 50, "The shape of the raw input 'x' can not be deduced: 50 bytes are no multiple of 12")]
    [InlineData(new long[] { -1, -1, -1 }, 48, "The shape of the raw input 'x' can not be deduced because there are more than one variable-sized dimension")]
    public void A_raw_tensor_takes_its_shape_from_its_size(long[] dims, int bytes, string expected)
    {
        var signature = new Signature([new("x", DataType.Float32, new(dims))], s_one.Outputs, Batched: true);
        var request = new InferenceRequest();
        var fault = InferRequestReader.ReadRaw(new byte[bytes], signature, "m", request);
        Assert.StartsWith(expected, fault?.Message ?? request.Inputs[0].Shape.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_raw_body_needs_a_model_with_one_input()
    {
        var fault = InferRequestReader.ReadRaw(new byte[8], Pair, "m", new InferenceRequest());
        Assert.Equal(
            "Raw request must only have 1 input (found 1) to be deduced but got 2 inputs in 'm' model configuration",
            fault!.Message);
    }

    [Fact]
    public void A_steady_request_allocates_nothing()
    {
        var json = Encoding.UTF8.GetBytes($$"""{"parameters":{"timeout":5},"outputs":[{"name":"y"}],"inputs":[{{GoodB}},{{GoodA}}]}""");
        var head = """{"inputs":[{"name":"x","shape":[1,16],"datatype":"FP32","parameters":{"binary_data_size":64}}]}""";
        var binary = Body(head, new byte[64]);
        var raw = new byte[64];
        var request = new InferenceRequest();
        var before = 0L;
        for (var i = 0; i < 200; i++)
        {
            if (i == 100)
                before = GC.GetAllocatedBytesForCurrentThread();
            var bad = InferRequestReader.Read(json, null, Pair, "m", request);
            request.Reset();
            bad ??= InferRequestReader.Read(binary, head.Length, s_one, "m", request);
            request.Reset();
            bad ??= InferRequestReader.ReadRaw(raw, s_text, "m", request);
            request.Reset();
            if (bad is not null)
                Assert.Fail(bad.Message);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [MemberData(nameof(Seeds.Twenty), MemberType = typeof(Seeds))]
    public void Mutated_requests_never_throw(int seed)
    {
        var random = new Random(seed);
        var head = $$$"""{"id":"\u00e9","parameters":{"timeout":5,"priority":1},"outputs":[{"name":"y","parameters":{"binary_data":true}}],"inputs":[{{{GoodA}}},{"name":"b","shape":[1,1],"datatype":"INT32","parameters":{"binary_data_size":4}}]}""";
        var good = Body(head, [1, 2, 3, 4]);
        var request = new InferenceRequest();
        var refused = 0;
        for (var i = 0; i < 2000; i++)
        {
            var body = good.AsSpan(0, random.Next(8) == 0 ? random.Next(good.Length + 1) : good.Length).ToArray();
            for (var n = random.Next(4); n > 0 && body.Length > 0; n--)
                body[random.Next(body.Length)] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)"{}[]\",:0-9e."[random.Next(12)];
            var length = random.Next(4) == 0 ? random.Next(1, body.Length + 2) : head.Length;
            var fault = InferRequestReader.Read(
                body, length > body.Length ? null : length, random.Next(4) == 0 ? s_one : Pair, "m", request);
            refused += fault is null ? 0 : 1;
            Assert.True(fault is null || fault.Kind is FaultKind.InvalidInput or FaultKind.Unsupported, fault?.Message);
            request.Reset();
        }

        Assert.InRange(refused, 500, 1990);
    }

    private static InferenceRequest Read(string json)
    {
        var request = new InferenceRequest();
        Assert.Null(InferRequestReader.Read(Encoding.UTF8.GetBytes(json), null, Pair, "m", request));
        return request;
    }

    private static byte[] Body(string head, byte[] tail) => [.. Encoding.UTF8.GetBytes(head), .. tail];

    private static T[] Values<T>(InferenceRequest request, int port)
        where T : struct => MemoryMarshal.Cast<byte, T>(request.Inputs[port].Data.Span).ToArray();
}

using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Spillway.Protocols.OpenInference;

namespace Spillway.Tests.Protocols.OpenInference;

public sealed class InferResponseWriterTests
{
    private static readonly ModelRef s_model = new("m", "3");

    [Theory]
    [InlineData(false, null, null, """{"model_name":"m","model_version":"3","outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"data":[0.1,-2.5E-07]},{"name":"z","datatype":"BYTES","shape":[1],"data":["é\"+\n"]}]}""", "")]
    [InlineData(true, null, null, """{"model_name":"m","model_version":"3","outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}},{"name":"z","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":9}}]}""", "yz")]
    [InlineData(true, null, false, """{"model_name":"m","model_version":"3","outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}},{"name":"z","datatype":"BYTES","shape":[1],"data":["é\"+\n"]}]}""", "y")]
    [InlineData(false, null, true, """{"model_name":"m","model_version":"3","outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"data":[0.1,-2.5E-07]},{"name":"z","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":9}}]}""", "z")]
    public void Outputs_are_json_or_binary_as_asked(bool all, bool? y, bool? z, string expected, string tail)
    {
        var request = new InferenceRequest { BinaryOutputs = all };
        if (z is not null)
        {
            request.Outputs.Add(new(0, y));
            request.Outputs.Add(new(1, z));
        }

        var outputs = Pair();
        using var buffer = new ResponseBuffer();
        var layout = InferResponseWriter.Write(
            s_model, InferRequestReaderTests.Pair, request, outputs, [], buffer).Value;
        Assert.Equal(expected, Encoding.UTF8.GetString(buffer.Written.Span[..layout.JsonLength]));
        var binary = tail.SelectMany(name => outputs[name - 'y'].Data.ToArray());
        Assert.Equal(binary, buffer.Written[layout.JsonLength..].ToArray());
        Assert.Equal(buffer.WrittenCount, layout.Length);
        Assert.Equal(tail.Length > 0 ? layout.JsonLength : null, layout.HeaderLength);
        Assert.Equal(tail.Length > 0 ? "application/octet-stream" : "application/json", layout.ContentType);
    }

    [Fact]
    public void Requested_outputs_come_alone_and_in_the_order_asked_with_id_and_parameters()
    {
        var request = new InferenceRequest { Id = "r\"1" };
        request.Outputs.Add(new(1, null));
        using var buffer = new ResponseBuffer();
        ResponseParameter[] parameters = [ResponseParameter.Of("simulated", true), ResponseParameter.Of("n", 5), ResponseParameter.Of("s", "t")];
        InferResponseWriter.WriteJson(s_model, InferRequestReaderTests.Pair, request, Pair(), parameters, buffer);
        Assert.Equal(
            """{"id":"r\"1","model_name":"m","model_version":"3","parameters":{"simulated":true,"n":5,"s":"t"},"outputs":[{"name":"z","datatype":"BYTES","shape":[1],"data":["é\"+\n"]}]}""",
            Encoding.UTF8.GetString(buffer.Written.Span));
    }

    [Theory]
    [InlineData(DataType.Bool, new byte[] { 1, 0 }, "[true,false]")]
    [InlineData(DataType.UInt8, new byte[] { 255, 0 }, "[255,0]")]
    [InlineData(DataType.Int8, new byte[] { 255, 128 }, "[-1,-128]")]
    [InlineData(DataType.Int16, new byte[] { 0, 128 }, "[-32768]")]
    [InlineData(DataType.UInt16, new byte[] { 255, 255 }, "[65535]")]
    [InlineData(DataType.UInt32, new byte[] { 255, 255, 255, 255 }, "[4294967295]")]
    [InlineData(DataType.Int32, new byte[] { 255, 255, 255, 255 }, "[-1]")]
    [InlineData(DataType.Int64, new byte[] { 0, 0, 0, 0, 0, 0, 0, 128 }, "[-9223372036854775808]")]
    [InlineData(DataType.UInt64, new byte[] { 255, 255, 255, 255, 255, 255, 255, 255 }, "[18446744073709551615]")]
    [InlineData(DataType.Float16, new byte[] { 0x66, 0x2E, 0, 0x3C }, "[0.1,1]")]
    [InlineData(DataType.BFloat16, new byte[] { 0x80, 0x3F, 0xC0, 0xBF }, "[1,-1.5]")]
    [InlineData(DataType.Float64, new byte[] { 0x9A, 0x99, 0x99, 0x99, 0x99, 0x99, 0xB9, 0x3F }, "[0.1]")]
    [InlineData(DataType.Float32, new byte[0], "[]")]
    [InlineData(DataType.Bytes, new byte[] { 0, 0, 0, 0, 2, 0, 0, 0, 1, 92 }, """["","\u0001\\"]""")]
    public void Every_type_is_written_as_json(DataType type, byte[] data, string expected)
    {
        Assert.Null(Write(type, data, out var json));
        Assert.EndsWith($"\"data\":{expected}}}]}}", json, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DataType.Float32, new byte[] { 0, 0, 0xC0, 0x7F })]
    [InlineData(DataType.Float64, new byte[] { 0, 0, 0, 0, 0, 0, 0xF0, 0x7F })]
    [InlineData(DataType.Float16, new byte[] { 0, 0x7C })]
    [InlineData(DataType.BFloat16, new byte[] { 0x80, 0xFF })]
    [InlineData(DataType.Bytes, new byte[] { 1, 0, 0, 0, 0xC3 })]
    public void What_json_cannot_hold_asks_for_binary(DataType type, byte[] data)
    {
        var fault = Write(type, data, out _);
        Assert.Equal(FaultKind.InvalidInput, fault!.Kind);
        Assert.Contains("ask for it in the binary format (output parameter 'binary_data': true)", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Seeds.Twenty), MemberType = typeof(Seeds))]
    public void Floats_read_back_the_same(int seed)
    {
        var random = new Random(seed);
        var values = new float[3000];
        for (var i = 0; i < values.Length; i++)
        {
            var value = BitConverter.UInt32BitsToSingle((uint)random.Next() << 1 | (uint)random.Next(2));
            values[i] = float.IsFinite(value) ? value : -0f;
        }

        Assert.Null(Write(DataType.Float32, MemoryMarshal.AsBytes(values.AsSpan()).ToArray(), out var json));
        using var document = JsonDocument.Parse(json);
        var read = document.RootElement.GetProperty("outputs")[0].GetProperty("data").EnumerateArray()
            .Select(element => element.GetSingle());
        Assert.Equal(values.Select(BitConverter.SingleToInt32Bits), read.Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void An_output_that_the_model_did_not_give_is_an_internal_fault()
    {
        using var buffer = new ResponseBuffer();
        var outcome = InferResponseWriter.WriteJson(
            s_model, InferRequestReaderTests.Pair, new InferenceRequest(), new TensorSet(), [], buffer);
        Assert.Equal(FaultKind.Internal, outcome.Fault!.Kind);
    }

    [Fact]
    public void A_steady_answer_allocates_nothing()
    {
        var (outputs, request) = (Pair(), new InferenceRequest { Id = "r" });
        using var buffer = new ResponseBuffer();
        var before = 0L;
        for (var i = 0; i < 200; i++)
        {
            if (i == 100)
                before = GC.GetAllocatedBytesForCurrentThread();
            request.BinaryOutputs = i % 2 == 0;
            buffer.Clear();
            InferResponseWriter.Write(s_model, InferRequestReaderTests.Pair, request, outputs, [], buffer);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_long_answer_grows_the_buffer_and_keeps_its_text()
    {
        var text = new string('ü', 300_000) + "\t";
        byte[] data = [.. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];
        Assert.Null(Write(DataType.Bytes, data, out var json));
        using var document = JsonDocument.Parse(json);
        Assert.Equal(text, document.RootElement.GetProperty("outputs")[0].GetProperty("data")[0].GetString());
    }

    private static Fault? Write(DataType type, byte[] data, out string json)
    {
        var signature = new Signature([], [new("y", type, new([-1]))], Batched: true);
        var outputs = new TensorSet();
        ref var tensor = ref outputs.Add();
        (tensor.Type, tensor.Shape, tensor.Data) = (type, new([1]), data);
        using var buffer = new ResponseBuffer();
        var outcome = InferResponseWriter.Write(s_model, signature, new InferenceRequest(), outputs, [], buffer);
        json = Encoding.UTF8.GetString(buffer.Written.Span);
        return outcome.Fault;
    }

    private static TensorSet Pair()
    {
        var outputs = new TensorSet();
        ref var z = ref outputs.Add();
        (z.Port, z.Type, z.Shape, z.Data) = (1, DataType.Bytes, new([1]), new byte[] { 5, 0, 0, 0, 0xC3, 0xA9, 34, 43, 10 });
        ref var y = ref outputs.Add();
        (y.Port, y.Type, y.Shape) = (0, DataType.Float32, new([1, 2]));
        y.Data = MemoryMarshal.AsBytes<float>([0.1f, -2.5e-7f]).ToArray();
        (outputs[0], outputs[1]) = (outputs[1], outputs[0]);
        return outputs;
    }
}

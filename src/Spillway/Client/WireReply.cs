using System.Globalization;
using System.Text.Json;

namespace Spillway.Client;

/// <summary>
/// An answer on the wire, back into a reply. Trusts no length: an output that is not exactly its shape is a fault.
/// </summary>
internal static class WireReply
{
    private const string RequestIdName = "X-Request-Id";

    /// <summary>Reads it; the outputs point into the body.</summary>
    public static Outcome<InferenceReply> Read(HttpResponseMessage response, ReadOnlyMemory<byte> body)
    {
        if (!HeaderLength(response, body.Length, out var length))
            return Broken("the header that gives the length of its JSON is no number within the body");
        try
        {
            using var json = JsonDocument.Parse(body[..length]);
            return Read(response, json.RootElement, body[length..]);
        }
        catch (JsonException)
        {
            return Broken("its JSON cannot be read");
        }
        catch (Exception wrong) when (wrong is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return Broken("its JSON is not that of an inference answer");
        }
    }

    private static bool HeaderLength(HttpResponseMessage response, int whole, out int length)
    {
        length = whole;
        if (!response.Headers.TryGetValues(WireCall.HeaderLengthName, out var given)
            && !response.Content.Headers.TryGetValues(WireCall.HeaderLengthName, out given))
            return true;
        return int.TryParse(given.First(), NumberStyles.None, CultureInfo.InvariantCulture, out length)
            && length <= whole;
    }

    private static Outcome<InferenceReply> Read(
        HttpResponseMessage response, JsonElement json, ReadOnlyMemory<byte> binary)
    {
        var outputs = new List<InferenceOutput>();
        foreach (var output in json.GetProperty("outputs").EnumerateArray())
        {
            if (!ReadOutput(output, ref binary).TryGet(out var read, out var fault))
                return fault;
            outputs.Add(read);
        }

        if (!binary.IsEmpty)
            return Broken($"{binary.Length} bytes follow its last output");
        return new InferenceReply
        {
            Model = Text(json, "model_name"),
            Version = Text(json, "model_version"),
            Id = Text(json, "id"),
            RequestId = response.Headers.TryGetValues(RequestIdName, out var id) ? id.First() : "",
            IsSimulated = json.TryGetProperty("parameters", out var parameters)
                && parameters.TryGetProperty("simulated", out var simulated)
                && simulated.ValueKind is JsonValueKind.True,
            Outputs = outputs,
        };
    }

    private static Outcome<InferenceOutput> ReadOutput(JsonElement output, ref ReadOnlyMemory<byte> binary)
    {
        var name = Text(output, "name");
        if (!DataTypes.TryParse(System.Text.Encoding.UTF8.GetBytes(Text(output, "datatype")), out var type))
            return Broken($"the output '{name}' has an unknown datatype");
        var shape = default(Shape);
        foreach (var dim in output.GetProperty("shape").EnumerateArray())
        {
            if (!shape.TryAdd(dim.GetInt64()))
                return Broken($"the output '{name}' has more than {Shape.RankMax} dimensions");
        }

        if (!output.TryGetProperty("parameters", out var parameters)
            || !parameters.TryGetProperty("binary_data_size", out var size))
        {
            return new Fault(
                FaultKind.Unsupported,
                $"The server answered the output '{name}' in JSON though binary was asked for; "
                + "this client needs a server with the binary tensor extension.");
        }

        var length = size.GetInt32();
        if (length < 0 || length > binary.Length)
            return Broken($"the output '{name}' is said to have {length} bytes, and {binary.Length} are left");
        var data = binary[..length];
        binary = binary[length..];
        return Fits(type, shape, data)
            ? new InferenceOutput(name, type, shape, data)
            : Broken($"the output '{name}' has {length} bytes, which is not {type.WireName()} {shape}");
    }

    private static bool Fits(DataType type, in Shape shape, ReadOnlyMemory<byte> data)
    {
        if (!shape.TryCount(out var count))
            return false;
        if (type is DataType.Bytes)
            return InferenceOutput.TryItems(data, out var items) && items.Count == count;
        return data.Length % type.Size() == 0 && data.Length / type.Size() == count;
    }

    private static string Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString()! : "";

    private static Fault Broken(string how) => new(
        FaultKind.RuntimeFailed,
        $"The server's answer is broken: {how}. Is it an Open Inference server with binary tensors?");
}

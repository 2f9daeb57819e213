using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Spillway.App.Load;

/// <summary>The content of a request apart from its address: shared by endpoints that get the same bytes.</summary>
/// <param name="Headers">Complete lines without their ends.</param>
/// <param name="Body">The body.</param>
internal sealed record RequestContent(string[] Headers, byte[] Body);

/// <summary>Builds complete HTTP requests once, before the run, so that sending one is a single system call.</summary>
internal static class RequestBuilder
{
    /// <summary>An Open Inference request with JSON or binary tensors.</summary>
    public static RequestContent Infer(IReadOnlyList<InputData> inputs, bool binary, bool binaryOutput,
        Parameters parameters)
    {
        var header = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            WriteParameters(json, binaryOutput, parameters);
            json.WriteStartArray("inputs");
            foreach (var input in inputs)
                WriteInput(json, input, binary);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        if (!binary)
            return new(["Content-Type: application/json"], header.WrittenSpan.ToArray());
        var body = new byte[header.WrittenCount + inputs.Sum(i => i.Bytes.Length)];
        header.WrittenSpan.CopyTo(body);
        var at = header.WrittenCount;
        foreach (var input in inputs)
        {
            input.Bytes.CopyTo(body, at);
            at += input.Bytes.Length;
        }

        var length = header.WrittenCount.ToString(CultureInfo.InvariantCulture);
        return new(["Content-Type: application/octet-stream", $"Inference-Header-Content-Length: {length}"], body);
    }

    /// <summary>A raw binary request: the file is the only input.</summary>
    public static RequestContent Raw(byte[] file, bool jsonOutput)
    {
        string[] headers = ["Content-Type: application/octet-stream", "Inference-Header-Content-Length: 0"];
        return new(jsonOutput ? [.. headers, "Accept: application/json"] : headers, file);
    }

    /// <summary>The bytes that go over the wire.</summary>
    public static byte[] Assemble(Uri server, string path, RequestContent content, IReadOnlyList<string> headers)
    {
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture, $"POST {path} HTTP/1.1\r\nHost: {server.Authority}\r\n");
        // A header given on the command line replaces ours of the same name.
        foreach (var header in content.Headers.Where(h => !headers.Any(own => SameName(own, h))).Concat(headers))
            head.Append(header).Append("\r\n");
        head.Append(CultureInfo.InvariantCulture, $"Content-Length: {content.Body.Length}\r\n\r\n");
        return [.. Encoding.ASCII.GetBytes(head.ToString()), .. content.Body];
    }

    private static bool SameName(string a, string b) => string.Equals(
        Quantity.Pair(a, ':').Name, Quantity.Pair(b, ':').Name, StringComparison.OrdinalIgnoreCase);

    private static void WriteParameters(Utf8JsonWriter json, bool binaryOutput, Parameters parameters)
    {
        if (!binaryOutput && parameters is { TimeoutMicroseconds: null, Priority: null })
            return;
        json.WriteStartObject("parameters");
        if (binaryOutput)
            json.WriteBoolean("binary_data_output", true);
        if (parameters.TimeoutMicroseconds is { } timeout)
            json.WriteNumber("timeout", timeout);
        if (parameters.Priority is { } priority)
            json.WriteNumber("priority", priority);
        json.WriteEndObject();
    }

    private static void WriteInput(Utf8JsonWriter json, InputData input, bool binary)
    {
        json.WriteStartObject();
        json.WriteString("name", input.Spec.Name);
        json.WriteStartArray("shape");
        foreach (var dimension in input.Shape)
            json.WriteNumberValue(dimension);
        json.WriteEndArray();
        json.WriteString("datatype", input.Spec.Type.WireName());
        if (binary)
        {
            json.WriteStartObject("parameters");
            json.WriteNumber("binary_data_size", input.Bytes.Length);
            json.WriteEndObject();
        }
        else
        {
            json.WritePropertyName("data");
            input.WriteJson(json);
        }

        json.WriteEndObject();
    }
}

/// <summary>The protocol's scheduling parameters; null ones are not sent.</summary>
internal readonly record struct Parameters(long? TimeoutMicroseconds, int? Priority);

using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Spillway.Client;

/// <summary>A call as the protocol's request: a JSON header, then the inputs in binary, in its order.</summary>
internal static class WireCall
{
    /// <summary>The header that says how long the JSON is, in requests and answers.</summary>
    public const string HeaderLengthName = "Inference-Header-Content-Length";

    /// <summary>The header of a request's own limit of cost.</summary>
    public const string MaxCostName = "X-Spillway-Max-Cost";

    /// <summary>A request for the client's base address. The inputs are sent from where they lie.</summary>
    public static HttpRequestMessage Write(InferenceCall call)
    {
        var header = Header(call);
        var version = call.Version.Length > 0 ? $"/versions/{call.Version}" : "";
        var content = new Parts([header, .. call.Inputs.Select(i => i.Data)]);
        content.Headers.ContentType = new("application/octet-stream");
        content.Headers.Add(HeaderLengthName, header.Length.ToString(CultureInfo.InvariantCulture));
        var request = new HttpRequestMessage(
            HttpMethod.Post, $"v2/models/{Uri.EscapeDataString(call.Model)}{version}/infer")
        {
            Content = content,
            Version = HttpVersion.Version11,
        };
        if (call.CostMax is { } most)
            request.Headers.Add(MaxCostName, most.ToString());
        if (call.Criticality is not Criticality.Critical)
            request.Headers.Add(CriticalityWords.HeaderName, CriticalityWords.Of(call.Criticality));
        return request;
    }

    private static ReadOnlyMemory<byte> Header(InferenceCall call)
    {
        var into = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(into);
        json.WriteStartObject();
        if (call.Id.Length > 0)
            json.WriteString("id"u8, call.Id);
        json.WriteStartObject("parameters"u8);
        json.WriteBoolean("binary_data_output"u8, true);
        if (call.Priority > 0)
            json.WriteNumber("priority"u8, call.Priority);
        // In microseconds; 0 would mean none.
        if (call.Deadline is { } deadline)
            json.WriteNumber("timeout"u8, Math.Max(1, deadline.Ticks / TimeSpan.TicksPerMicrosecond));
        Write(json, call.Sequence);
        json.WriteEndObject();
        json.WriteStartArray("inputs"u8);
        foreach (var input in call.Inputs)
            Write(json, input);
        json.WriteEndArray();
        if (call.Outputs.Count > 0)
        {
            json.WriteStartArray("outputs"u8);
            foreach (var name in call.Outputs)
            {
                json.WriteStartObject();
                json.WriteString("name"u8, name);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
        json.Flush();
        return into.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter json, SequenceMark? sequence)
    {
        if (sequence is not { Key.IsNone: false } mark)
            return;
        if (mark.Key.Text is { } text)
            json.WriteString("sequence_id"u8, text);
        else
            json.WriteNumber("sequence_id"u8, mark.Key.Number);
        json.WriteBoolean("sequence_start"u8, mark.Start);
        json.WriteBoolean("sequence_end"u8, mark.End);
    }

    private static void Write(Utf8JsonWriter json, InferenceInput input)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, input.Name);
        json.WriteStartArray("shape"u8);
        foreach (var dim in input.Shape.Dims)
            json.WriteNumberValue(dim);
        json.WriteEndArray();
        json.WriteString("datatype"u8, input.Type.WireName());
        json.WriteStartObject("parameters"u8);
        json.WriteNumber("binary_data_size"u8, input.Data.Length);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>A body of several pieces, none of which is copied together first.</summary>
    private sealed class Parts(IReadOnlyList<ReadOnlyMemory<byte>> parts) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(
            Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            foreach (var part in parts)
                await stream.WriteAsync(part, cancellationToken).ConfigureAwait(false);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = parts.Sum(p => (long)p.Length);
            return true;
        }
    }
}

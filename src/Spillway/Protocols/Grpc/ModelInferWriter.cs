using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Protocols.OpenInference;
using Spillway.Telemetry;

namespace Spillway.Protocols.Grpc;

/// <summary>
/// ModelInferResponse, alone or inside a ModelStreamInferResponse. First the head, which tells the length of
/// everything; then the outputs as raw_output_contents, straight from where they lie to the connection. Answers are
/// always raw, also to typed requests, as Triton's are.
/// </summary>
internal static class ModelInferWriter
{
    /// <summary>
    /// Larger outputs are sent in pieces of this, each taken before the next: Kestrel's own buffer size.
    /// </summary>
    public const int PieceMax = 64 * 1024;

    private const int InferResponseField = 2;
    private const int RawField = 6;

    /// <summary>Writes all but the outputs' data; gives the bytes that follow, or why there is no answer.</summary>
    /// <param name="into">An empty buffer.</param>
    /// <param name="work">The request.</param>
    /// <param name="outputs">Its outputs.</param>
    /// <param name="streamId">On a stream, where no header can carry it, the id of the record; else null.</param>
    public static Outcome<long> WriteHead(WireBuffer into, Work work, TensorSet outputs, string? streamId)
    {
        var (signature, request) = (work.Door.Signature!, work.Request);
        var count = InferResponseWriter.Count(signature, request);
        var behind = 0L;
        for (var i = 0; i < count; i++)
        {
            var at = outputs.Find(Port(request, i));
            if (at < 0)
                return InferResponseWriter.Absent(signature.Outputs[Port(request, i)], work.Door.Route.Model);
            var length = outputs[at].Data.Length;
            behind += 1 + WireBuffer.SizeOf((uint)length) + length;
        }

        if (behind > Array.MaxLength - WireBuffer.KeptMax)
            return new Fault(FaultKind.Internal,
                $"The outputs have {behind:N0} bytes, more than a gRPC message can hold. Ask for fewer.");
        var mark = streamId is null ? 0 : into.Begin(InferResponseField);
        WriteNames(into, work, streamId);
        for (var i = 0; i < count; i++)
            WriteOutput(into, outputs[outputs.Find(Port(request, i))], signature);
        if (streamId is not null)
            into.End(mark, behind);
        return behind;
    }

    /// <summary>An answer of a stream that says what went wrong with one request.</summary>
    public static void WriteError(WireBuffer into, Work work, Fault fault, string streamId)
    {
        into.Text(1, fault.Message);
        var mark = into.Begin(InferResponseField);
        into.Text(3, work.Request.Id);
        Parameter(into, "fault", FaultLabels.Of(fault.Kind));
        if (FaultMapping.IsRetryAfterDue(fault.Kind))
            Parameter(into, "retry-after-ms", FaultMapping.RetryAfterMs(fault.RetryAfter));
        StreamParameters(into, work, streamId);
        into.End(mark);
    }

    /// <summary>The outputs' data, behind the head; a fault when the caller is gone.</summary>
    public static ValueTask<Fault?> SendRawAsync(HttpContext http, Work work, TensorSet outputs, long behind)
    {
        if (behind > PieceMax)
            return SendPiecesAsync(http, work, outputs);
        var writer = http.Response.BodyWriter;
        for (var i = 0; TryRaw(work, outputs, i, out var data); i++)
        {
            Announce(writer, data.Length);
            writer.Write(data.Span);
        }

        return default;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<Fault?> SendPiecesAsync(HttpContext http, Work work, TensorSet outputs)
    {
        for (var i = 0; TryRaw(work, outputs, i, out var data); i++)
        {
            Announce(http.Response.BodyWriter, data.Length);
            for (; data.Length > 0; data = data[Math.Min(PieceMax, data.Length)..])
            {
                http.Response.BodyWriter.Write(data.Span[..Math.Min(PieceMax, data.Length)]);
                if (await AnswerFlush.FlushAsync(http).ConfigureAwait(false) is { } gone)
                    return gone;
            }
        }

        return null;
    }

    private static bool TryRaw(Work work, TensorSet outputs, int index, out ReadOnlyMemory<byte> data) =>
        InferResponseWriter.TryBinary(work.Door.Signature!, work.Request, outputs, index, out data);

    private static void Announce(PipeWriter writer, int length)
    {
        var span = writer.GetSpan(1 + 5);
        var at = 0;
        span[at++] = RawField << 3 | (byte)WireType.Length;
        var rest = (uint)length;
        for (; rest >= 0x80; rest >>= 7)
            span[at++] = (byte)(rest | 0x80);
        span[at++] = (byte)rest;
        writer.Advance(at);
    }

    private static int Port(InferenceRequest request, int index) =>
        request.Outputs.Count == 0 ? index : request.Outputs[index].Port;

    private static void WriteNames(WireBuffer into, Work work, string? streamId)
    {
        var model = work.Door.Route.Model;
        into.Text(1, model.Name);
        into.Text(2, model.Version);
        into.Text(3, work.Request.Id);
        if (work.Door.Traits!.Simulated)
            Parameter(into, "simulated", value: true);
        if (streamId is not null)
            StreamParameters(into, work, streamId);
    }

    private static void StreamParameters(WireBuffer into, Work work, string streamId)
    {
        // A request has one answer here, which is its last.
        Parameter(into, "triton_final_response", value: true);
        Parameter(into, "x-request-id", streamId);
        RouteHeaders.Tell(work, into, static (to, name, value) => Parameter(to, name.ToLowerInvariant(), value));
    }

    private static void WriteOutput(WireBuffer into, in Tensor tensor, Signature signature)
    {
        var mark = into.Begin(5);
        into.Bytes(1, signature.Outputs[tensor.Port].NameUtf8);
        into.Text(2, tensor.Type.WireName());
        into.Packed(3, tensor.Shape.Dims);
        into.End(mark);
    }

    private static void Parameter(WireBuffer into, string name, bool value)
    {
        var (entry, inner) = Begin(into, name);
        into.Chosen(1, value ? 1u : 0u);
        into.End(inner);
        into.End(entry);
    }

    private static void Parameter(WireBuffer into, string name, string value)
    {
        var (entry, inner) = Begin(into, name);
        into.Text(3, value, always: true);
        into.End(inner);
        into.End(entry);
    }

    private static (int Entry, int Value) Begin(WireBuffer into, string name)
    {
        var entry = into.Begin(4);
        into.Text(1, name);
        return (entry, into.Begin(2));
    }
}

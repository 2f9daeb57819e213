using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using Spillway.Store.Audit;
using Spillway.Telemetry;

namespace Spillway.Engine.Audit;

/// <summary>
/// Finished requests into the audit log: who asked which model, what was decided, what it cost. Inputs only where their
/// model asks for it (audit.payloads). Copies and returns; allocates nothing but for inputs. Thread-safe.
/// </summary>
/// <param name="log">Where to.</param>
public sealed class AuditSink(AuditLog log) : IRecordSink
{
    /// <summary>Why nothing may be answered now; null while all is well. Asked for each request.</summary>
    internal Fault? Refusal => log.Refusal;

    /// <inheritdoc/>
    void IRecordSink.Offer(in RequestRecord record)
    {
        // Listing what was refused because the log is behind would keep it behind.
        if (record.Outcome is FaultKind.StoreFailed)
        {
            log.RefusedRequest();
            return;
        }

        var total = record.Stages.Total;
        var ended = record.Decisions;
        log.Offer(new()
        {
            Kind = IsRefusal(record.Outcome) ? AuditKind.Refusal : AuditKind.Access,
            Time = (record.Started + total - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
            Caller = record.Caller, RequestId = record.RequestId,
            Model = record.Model, Version = record.Version, Deployment = record.Deployment,
            ModelDigest = record.ModelDigest, ConfigDigest = record.ConfigDigest, PriceDigest = record.PriceDigest,
            Outcome = FaultLabels.Of(record.Outcome), Reason = record.Message,
            Decision = record.Outcome is not null && ended.Length > 0 ? DecisionText.Name(ended[^1].Kind) : null,
            Status = record.Status, Rows = record.Rows, BytesIn = record.BytesIn, BytesOut = record.BytesOut,
            CostNano = record.Total.Nano, DurationMicros = total.Ticks / TimeSpan.TicksPerMicrosecond,
        });
    }

    /// <summary>Keeps the inputs of a request whose model asks for it; to be called while they are there.</summary>
    internal void Keep(Work work, string requestId)
    {
        if (!work.Door.Options.Audit.Payloads || work.Door.Signature is not { } signature)
            return;
        var inputs = work.Request.Inputs;
        if (inputs.Count == 0)
            return;
        var header = Header(inputs, signature);
        long length = sizeof(int) + header.WrittenCount;
        foreach (ref readonly var tensor in inputs.Span)
            length += tensor.Data.Length;
        if (length > Array.MaxLength || !log.TryHoldPayload((int)length))
            return;
        var copy = ArrayPool<byte>.Shared.Rent((int)length);
        BinaryPrimitives.WriteInt32LittleEndian(copy, header.WrittenCount);
        header.WrittenSpan.CopyTo(copy.AsSpan(sizeof(int)));
        var at = sizeof(int) + header.WrittenCount;
        foreach (ref readonly var tensor in inputs.Span)
        {
            tensor.Data.Span.CopyTo(copy.AsSpan(at));
            at += tensor.Data.Length;
        }

        log.Offer(new()
        {
            Kind = AuditKind.Payload, Caller = work.Caller, RequestId = requestId,
            Model = work.Door.Route.Model.Name, Version = work.Door.Route.Model.Version,
            Payload = copy, PayloadLength = (int)length,
        });
    }

    private static ArrayBufferWriter<byte> Header(TensorSet inputs, Signature signature)
    {
        var into = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(into);
        json.WriteStartArray();
        foreach (ref readonly var tensor in inputs.Span)
        {
            json.WriteStartObject();
            json.WriteString("name", signature.Inputs[tensor.Port].Name);
            json.WriteString("datatype", tensor.Type.WireName());
            json.WriteString("shape", tensor.Shape.ToString());
            json.WriteNumber("bytes", tensor.Data.Length);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        return into;
    }

    /// <summary>Whether a request was turned away by a decision, in place of failing by itself.</summary>
    private static bool IsRefusal(FaultKind? outcome) => outcome is FaultKind.QueueFull or FaultKind.ServerFull
        or FaultKind.PredictedLate or FaultKind.DroppedLate or FaultKind.ShuttingDown or FaultKind.SwitchedOff
        or FaultKind.RateLimited or FaultKind.BudgetExhausted or FaultKind.Forbidden or FaultKind.Unauthenticated
        or FaultKind.InvalidInput or FaultKind.InputTooLarge or FaultKind.ModelNotReady or FaultKind.Unsupported
        or FaultKind.TargetsOpen or FaultKind.Shed;
}

using System.Buffers.Binary;
using System.Text;

namespace Spillway.Store.Audit;

/// <summary>
/// Writes entries as frames into one growing buffer, from which they go to the disk together. Allocates nothing in
/// steady state. Not thread-safe.
/// </summary>
/// <param name="callers">Hides who asked.</param>
internal sealed class RecordWriter(CallerHash callers)
{
    /// <summary>The most characters of a text; a reason is cut to them.</summary>
    public const int TextMax = 400;

    private byte[] _bytes = new byte[256 * 1024];
    private int _length;

    /// <summary>What was written since <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    /// <summary>Begins anew.</summary>
    public void Clear() => _length = 0;

    /// <summary>Appends one entry.</summary>
    /// <param name="entry">What to write.</param>
    /// <param name="index">Its place in the log.</param>
    /// <param name="payload">Where its payload lies; default for none.</param>
    /// <param name="leaf">Takes its hash.</param>
    public void Write(in AuditEntry entry, long index, in PayloadPlace payload, Span<byte> leaf)
    {
        if (_bytes.Length - _length < RecordFormat.FrameBytes + RecordFormat.RecordBytesMax)
            Array.Resize(ref _bytes, _bytes.Length * 2);
        var frame = _bytes.AsSpan(_length, RecordFormat.FrameBytes + RecordFormat.RecordBytesMax);
        var record = frame[RecordFormat.FrameBytes..];
        record[0] = RecordFormat.Format;
        record[1] = (byte)entry.Kind;
        BinaryPrimitives.WriteInt64LittleEndian(record[2..], index);
        BinaryPrimitives.WriteInt64LittleEndian(record[10..], entry.Time);
        var fields = new FieldWriter(record[RecordFormat.HeaderBytes..]);
        Who(ref fields, entry);
        What(ref fields, entry);
        Numbers(ref fields, entry, payload);
        frame = frame[..(RecordFormat.FrameBytes + RecordFormat.HeaderBytes + fields.Length)];
        RecordFormat.Close(frame, leaf);
        _length += frame.Length;
    }

    private void Who(ref FieldWriter fields, in AuditEntry entry)
    {
        fields.Text(AuditTag.RequestId, entry.RequestId);
        if (entry.Caller is not { } caller)
            return;
        var hashes = callers.Of(caller);
        fields.Bytes(AuditTag.Tenant, hashes.AsSpan(0, CallerHash.Bytes));
        fields.Bytes(AuditTag.Caller, hashes.AsSpan(CallerHash.Bytes));
    }

    private static void What(ref FieldWriter fields, in AuditEntry entry)
    {
        fields.Text(AuditTag.Model, entry.Model);
        fields.Text(AuditTag.Version, entry.Version);
        fields.Text(AuditTag.Deployment, entry.Deployment);
        fields.Hex(AuditTag.ModelDigest, entry.ModelDigest);
        fields.Hex(AuditTag.ConfigDigest, entry.ConfigDigest);
        fields.Hex(AuditTag.PriceDigest, entry.PriceDigest);
        fields.Text(AuditTag.Outcome, entry.Outcome);
        fields.Text(AuditTag.Decision, entry.Decision);
        fields.Text(AuditTag.Reason, entry.Reason);
        fields.Text(AuditTag.Action, entry.Action);
        fields.Text(AuditTag.Subject, entry.Subject);
    }

    private static void Numbers(ref FieldWriter fields, in AuditEntry entry, in PayloadPlace payload)
    {
        fields.Number(AuditTag.Status, entry.Status);
        fields.Number(AuditTag.Rows, entry.Rows);
        fields.Number(AuditTag.BytesIn, entry.BytesIn);
        fields.Number(AuditTag.BytesOut, entry.BytesOut);
        fields.Number(AuditTag.CostNano, entry.CostNano);
        fields.Number(AuditTag.DurationMicros, entry.DurationMicros);
        if (payload.File is not null)
        {
            fields.Bytes(AuditTag.PayloadHash, payload.Hash);
            fields.Text(AuditTag.PayloadFile, payload.File);
            fields.Number(AuditTag.PayloadPlace, payload.Offset);
            fields.Number(AuditTag.PayloadBytes, payload.Length);
        }

        fields.Number(AuditTag.Count, entry.Count);
    }

    /// <summary>Fields behind each other; what is empty or zero is left out.</summary>
    private ref struct FieldWriter(Span<byte> into)
    {
        private readonly Span<byte> _into = into;

        public int Length { get; private set; }

        public void Bytes(AuditTag tag, ReadOnlySpan<byte> value)
        {
            value.CopyTo(Open(tag));
            Close(value.Length);
        }

        public void Text(AuditTag tag, string? text)
        {
            if (text is not { Length: > 0 })
                return;
            var cut = text.AsSpan(0, Math.Min(text.Length, TextMax));
            Close(Encoding.UTF8.GetBytes(cut, Open(tag)));
        }

        public void Hex(AuditTag tag, string? hex)
        {
            if (hex is not { Length: > 0 })
                return;
            Convert.FromHexString(hex, Open(tag), out _, out var written);
            Close(written);
        }

        public void Number(AuditTag tag, long value)
        {
            if (value == 0)
                return;
            BinaryPrimitives.WriteInt64LittleEndian(Open(tag), value);
            Close(sizeof(long));
        }

        private readonly Span<byte> Open(AuditTag tag)
        {
            _into[Length] = (byte)tag;
            return _into[(Length + 3)..];
        }

        private void Close(int length)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_into[(Length + 1)..], (ushort)length);
            Length += 3 + length;
        }
    }
}

using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Spillway.Store.Audit;

/// <summary>One record of the log, read back. Immutable.</summary>
public sealed record AuditRecord
{
    /// <summary>Its place in the log, from 0.</summary>
    public required long Index { get; init; }

    /// <summary>What it is about.</summary>
    public required AuditKind Kind { get; init; }

    /// <summary>Wall time of the server. Clocks may jump: the index gives the order, not this.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The bytes that were hashed.</summary>
    public required ReadOnlyMemory<byte> Bytes { get; init; }

    /// <summary>The request's id; empty for none.</summary>
    public string RequestId => Text(AuditTag.RequestId);

    /// <summary>Served name; empty for none.</summary>
    public string Model => Text(AuditTag.Model);

    /// <summary>"ok" or the fault.</summary>
    public string Outcome => Text(AuditTag.Outcome);

    /// <summary>What was changed, as "model.load"; empty for none.</summary>
    public string Action => Text(AuditTag.Action);

    /// <summary>What that was done to, or what was asked; empty for none.</summary>
    public string Subject => Text(AuditTag.Subject);

    /// <summary>The reason or detail.</summary>
    public string Reason => Text(AuditTag.Reason);

    /// <summary>Keyed hash of the caller's tenant in hexadecimal; empty for none.</summary>
    public string Tenant => Hex(AuditTag.Tenant);

    /// <summary>Keyed hash of tenant and key in hexadecimal; empty for none.</summary>
    public string Caller => Hex(AuditTag.Caller);

    /// <summary>SHA-256 of the model that answered, in hexadecimal; empty when unknown.</summary>
    public string ModelDigest => Hex(AuditTag.ModelDigest);

    /// <summary>Where its payload lies; null for none.</summary>
    internal PayloadPlace? Payload => Find(AuditTag.PayloadFile).IsEmpty
        ? null
        : new(Text(AuditTag.PayloadFile), Number(AuditTag.PayloadPlace), (int)Number(AuditTag.PayloadBytes),
            Find(AuditTag.PayloadHash).ToArray());

    /// <summary>Reads a record; null for bytes that are none.</summary>
    public static AuditRecord? Parse(ReadOnlyMemory<byte> bytes)
    {
        var span = bytes.Span;
        var index = RecordFormat.IndexOf(span);
        if (index < 0 || !IsWellFormed(span))
            return null;
        var micros = BinaryPrimitives.ReadInt64LittleEndian(span[10..]);
        if (micros is < 0 or > 253_402_300_799_999_999)
            return null;
        return new()
        {
            Index = index, Kind = (AuditKind)span[1], Bytes = bytes,
            Time = DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond),
        };
    }

    /// <summary>Writes it as an object: readable names, digests in hexadecimal, the empty left out.</summary>
    public void WriteJson(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("index", Index);
        json.WriteString("kind", Kind.ToString().ToLowerInvariant());
        json.WriteString("time", Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'",
            CultureInfo.InvariantCulture));
        var fields = Bytes.Span[RecordFormat.HeaderBytes..];
        while (Next(ref fields, out var tag, out var value))
            Write(json, tag, value);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, AuditTag tag, ReadOnlySpan<byte> value)
    {
        var name = JsonNamingPolicy.SnakeCaseLower.ConvertName(tag.ToString());
        if (IsNumber(tag))
            json.WriteNumber(name, value.Length == sizeof(long) ? BinaryPrimitives.ReadInt64LittleEndian(value) : 0);
        else if (IsHash(tag))
            json.WriteString(name, Convert.ToHexStringLower(value));
        else
            json.WriteString(name, Encoding.UTF8.GetString(value));
    }

    private static bool IsHash(AuditTag tag) => tag is AuditTag.Tenant or AuditTag.Caller or AuditTag.ModelDigest
        or AuditTag.ConfigDigest or AuditTag.PriceDigest or AuditTag.PayloadHash or > AuditTag.Count;

    private static bool IsNumber(AuditTag tag) => tag is (>= AuditTag.Status and <= AuditTag.DurationMicros)
        or AuditTag.PayloadPlace or AuditTag.PayloadBytes or AuditTag.Count;

    private static bool IsWellFormed(ReadOnlySpan<byte> record)
    {
        var fields = record[RecordFormat.HeaderBytes..];
        var last = 0;
        while (fields.Length > 0)
        {
            if (!Next(ref fields, out var tag, out _) || (int)tag <= last)
                return false;
            last = (int)tag;
        }

        return true;
    }

    private static bool Next(
        scoped ref ReadOnlySpan<byte> fields, out AuditTag tag, out ReadOnlySpan<byte> value)
    {
        tag = default;
        value = default;
        if (fields.Length < 3)
            return false;
        var length = BinaryPrimitives.ReadUInt16LittleEndian(fields[1..]);
        if (fields.Length < 3 + length)
            return false;
        tag = (AuditTag)fields[0];
        value = fields.Slice(3, length);
        fields = fields[(3 + length)..];
        return true;
    }

    private ReadOnlySpan<byte> Find(AuditTag wanted)
    {
        var fields = Bytes.Span[RecordFormat.HeaderBytes..];
        while (Next(ref fields, out var tag, out var value))
        {
            if (tag == wanted)
                return value;
        }

        return default;
    }

    private string Text(AuditTag tag) => Encoding.UTF8.GetString(Find(tag));

    private string Hex(AuditTag tag) => Convert.ToHexStringLower(Find(tag));

    private long Number(AuditTag tag) =>
        Find(tag) is { Length: sizeof(long) } value ? BinaryPrimitives.ReadInt64LittleEndian(value) : 0;
}

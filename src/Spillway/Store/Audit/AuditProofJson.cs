using System.Text.Json;

namespace Spillway.Store.Audit;

/// <summary>
/// Proofs as JSON, to hand to somebody who has nothing but the public key: record and hashes in base64, heads as they
/// were signed.
/// </summary>
public static class AuditProofJson
{
    private const int PathMax = 128;

    /// <summary>Writes a proof that a record is in the log, with the record readable beside its bytes.</summary>
    public static void Write(Utf8JsonWriter json, AuditInclusion proof)
    {
        json.WriteStartObject();
        json.WriteString("proof", "inclusion");
        json.WriteNumber("index", proof.Record.Index);
        json.WriteBase64String("record", proof.Record.Bytes.Span);
        json.WritePropertyName("content");
        proof.Record.WriteJson(json);
        Path(json, proof.Path);
        json.WritePropertyName("head");
        proof.Head.WriteJson(json);
        json.WriteEndObject();
    }

    /// <summary>Writes a proof that a later head continues an earlier one.</summary>
    public static void Write(Utf8JsonWriter json, AuditHead first, AuditHead second, IReadOnlyList<byte[]> path)
    {
        json.WriteStartObject();
        json.WriteString("proof", "consistency");
        Path(json, path);
        json.WritePropertyName("first");
        first.WriteJson(json);
        json.WritePropertyName("second");
        second.WriteJson(json);
        json.WriteEndObject();
    }

    /// <summary>
    /// Reads a proof and does its arithmetic; gives its heads, whose signatures the caller checks, and the record. A
    /// fault
    /// says why it does not hold.
    /// </summary>
    public static Outcome<(IReadOnlyList<AuditHead> Heads, AuditRecord? Record)> Check(ReadOnlyMemory<byte> text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            var root = json.RootElement;
            return root.GetProperty("proof").GetString() is "inclusion" ? Inclusion(root) : Consistency(root);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException
            or FormatException)
        {
            return Bad("This is no proof of an audit log.");
        }
    }

    private static Outcome<(IReadOnlyList<AuditHead>, AuditRecord?)> Inclusion(JsonElement root)
    {
        var head = AuditHead.Read(root.GetProperty("head"));
        if (AuditRecord.Parse(root.GetProperty("record").GetBytesFromBase64()) is not { } record)
            return Bad("Its record is none.");
        if (record.Index != root.GetProperty("index").GetInt64())
            return Bad($"Its record says that it is record {record.Index}.");
        return AuditReader.Holds(new(record, Path(root), head))
            ? (new[] { head }, record)
            : Bad($"The record does not lead to the root of the head of {head.Size} records: one of them was changed.");
    }

    private static Outcome<(IReadOnlyList<AuditHead>, AuditRecord?)> Consistency(JsonElement root)
    {
        var (first, second) = (AuditHead.Read(root.GetProperty("first")), AuditHead.Read(root.GetProperty("second")));
        return first.Log == second.Log && AuditReader.Holds(first, second, Path(root))
            ? (new[] { first, second }, null)
            : Bad($"The log of {second.Size} records does not continue that of {first.Size}: records were changed "
                + "after the "
                + "first head was signed.");
    }

    private static Fault Bad(string why) => new(FaultKind.InvalidInput, why);

    private static void Path(Utf8JsonWriter json, IReadOnlyList<byte[]> path)
    {
        json.WriteStartArray("path");
        foreach (var hash in path)
            json.WriteBase64StringValue(hash);
        json.WriteEndArray();
    }

    private static List<byte[]> Path(JsonElement root) =>
        [.. root.GetProperty("path").EnumerateArray().Take(PathMax).Select(h => h.GetBytesFromBase64())];
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Spillway.Store.Audit;

/// <summary>
/// A signed head: the log had so many records, and this root. Whoever keeps one outside the log can prove later that
/// nothing before it was changed. One line of JSON in the file of heads.
/// </summary>
/// <param name="Log">The log's own id, made with it.</param>
/// <param name="Size">Records.</param>
/// <param name="Root">Root of the tree of these, in hexadecimal.</param>
/// <param name="Time">Wall time of the server, to the microsecond.</param>
/// <param name="Key">SHA-256 of the public key, in hexadecimal.</param>
/// <param name="Signature">ECDSA P-256 with SHA-256 over <see cref="Body"/>, DER, in base64.</param>
public sealed record AuditHead(string Log, long Size, string Root, string Time, string Key, string Signature)
{
    /// <summary>The longest line that is read as a head.</summary>
    public const int LineBytesMax = 2048;

    /// <summary>The text that is signed: six lines, each with a line feed.</summary>
    public string Body => string.Create(
        CultureInfo.InvariantCulture, $"spillway audit head 1\n{Log}\n{Size}\n{Root}\n{Time}\n{Key}\n");

    /// <summary>Signs one.</summary>
    internal static AuditHead Sign(string log, long size, byte[] root, DateTimeOffset time, AuditSigner signer)
    {
        var text = time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        var head = new AuditHead(log, size, Convert.ToHexStringLower(root), text, signer.Id, "");
        return head with { Signature = Convert.ToBase64String(signer.Sign(Encoding.UTF8.GetBytes(head.Body))) };
    }

    /// <summary>Reads a line; null for one that is none.</summary>
    public static AuditHead? Parse(string line)
    {
        if (line.Length > LineBytesMax)
            return null;
        try
        {
            using var json = JsonDocument.Parse(line);
            return Read(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException
            or FormatException)
        {
            return null;
        }
    }

    /// <summary>Reads an object; throws what JsonElement throws for one that is no head.</summary>
    internal static AuditHead Read(JsonElement json) => new(
        json.GetProperty("log").GetString()!, json.GetProperty("size").GetInt64(),
        json.GetProperty("root").GetString()!, json.GetProperty("time").GetString()!,
        json.GetProperty("key").GetString()!, json.GetProperty("signature").GetString()!);

    /// <summary>As a line without its line feed.</summary>
    public string Line()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
            WriteJson(json);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>Writes it as an object.</summary>
    public void WriteJson(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("log", Log);
        json.WriteNumber("size", Size);
        json.WriteString("root", Root);
        json.WriteString("time", Time);
        json.WriteString("key", Key);
        json.WriteString("signature", Signature);
        json.WriteEndObject();
    }

    /// <summary>Whether one of these keys signed it.</summary>
    public bool IsSignedBy(IEnumerable<ECDsa> keys)
    {
        var signature = new byte[Signature.Length];
        if (!Convert.TryFromBase64String(Signature, signature, out var length))
            return false;
        var body = Encoding.UTF8.GetBytes(Body);
        foreach (var key in keys)
        {
            if (key.VerifyData(body, signature.AsSpan(0, length), HashAlgorithmName.SHA256,
                DSASignatureFormat.Rfc3279DerSequence))
                return true;
        }

        return false;
    }
}

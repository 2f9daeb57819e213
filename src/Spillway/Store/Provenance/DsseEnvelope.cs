using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Spillway.Store.Provenance;

/// <summary>
/// A signed text in a DSSE envelope (Dead Simple Signing Envelope 1.0): what is signed is the text together with its
/// type, so that a signature of one kind of document never counts for another. ECDSA P-256 with SHA-256, DER, as
/// OpenSSL makes it. Pure.
/// </summary>
public static class DsseEnvelope
{
    /// <summary>The largest envelope that is read.</summary>
    public const int BytesMax = 1024 * 1024;

    private const int SignaturesMax = 16;

    /// <summary>The bytes that are signed: "DSSEv1", the lengths, the type, the text.</summary>
    public static byte[] Preauthenticated(string type, ReadOnlySpan<byte> body)
    {
        var head = string.Create(
            CultureInfo.InvariantCulture, $"DSSEv1 {Encoding.UTF8.GetByteCount(type)} {type} {body.Length} ");
        return [.. Encoding.UTF8.GetBytes(head), .. body];
    }

    /// <summary>Signs a text.</summary>
    /// <param name="type">Its media type.</param>
    /// <param name="body">Text.</param>
    /// <param name="key">P-256 with its private part.</param>
    public static byte[] Sign(string type, ReadOnlySpan<byte> body, ECDsa key)
    {
        var signature = key.SignData(
            Preauthenticated(type, body), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new() { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteString("payloadType", type);
            json.WriteBase64String("payload", body);
            json.WriteStartArray("signatures");
            json.WriteStartObject();
            json.WriteString("keyid", KeyId(key));
            json.WriteBase64String("sig", signature);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }

    /// <summary>
    /// The text of an envelope that one of these keys signed, and that key's id; else a sentence why not.
    /// </summary>
    public static Outcome<(byte[] Body, string KeyId)> Open(
        ReadOnlyMemory<byte> envelope, string type, IReadOnlyList<ECDsa> trusted)
    {
        try
        {
            using var json = JsonDocument.Parse(envelope);
            var root = json.RootElement;
            if (root.GetProperty("payloadType").GetString() != type)
                return Bad($"its payloadType is not {type}");
            var body = root.GetProperty("payload").GetBytesFromBase64();
            var signed = Preauthenticated(type, body);
            foreach (var signature in root.GetProperty("signatures").EnumerateArray().Take(SignaturesMax))
            {
                var bytes = signature.GetProperty("sig").GetBytesFromBase64();
                foreach (var key in trusted)
                {
                    if (key.VerifyData(signed, bytes, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence))
                        return (body, KeyId(key));
                }
            }

            return Bad($"none of its signatures is by one of the {trusted.Count} trusted key(s) (signing.trusted), "
                + "or what "
                + "was signed was changed");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException
            or FormatException)
        {
            return Bad("it is no DSSE envelope");
        }
    }

    /// <summary>SHA-256 of a public key, in hexadecimal.</summary>
    public static string KeyId(ECDsa key) =>
        Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

    private static Fault Bad(string why) => new(FaultKind.LoadFailed, why);
}

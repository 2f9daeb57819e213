using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Spillway.Store.Provenance;

/// <summary>A file of a model and what is in it.</summary>
/// <param name="Name">Relative to the model file's folder, with forward slashes.</param>
/// <param name="Sha256">In lower-case hexadecimal.</param>
public readonly record struct ModelPart(string Name, string Sha256);

/// <summary>
/// What the signature of a model says: an in-toto Statement v1 that names each of its files with its SHA-256.
/// </summary>
public static class ModelStatement
{
    /// <summary>The media type in the envelope.</summary>
    public const string PayloadType = "application/vnd.in-toto+json";

    /// <summary>What kind of statement it is: OpenSSF's signature of a model.</summary>
    public const string PredicateType = "https://model_signing/signature/v1.0";

    /// <summary>What the envelope's name adds to the model file's.</summary>
    public const string FileEnd = ".dsse.json";

    private const string StatementType = "https://in-toto.io/Statement/v1";

    /// <summary>Hashes a model's files. Reads all of them; throws what the file system throws.</summary>
    /// <param name="files">Absolute, the model file first.</param>
    public static IReadOnlyList<ModelPart> Hash(IReadOnlyList<string> files)
    {
        var folder = Path.GetDirectoryName(files[0])!;
        List<ModelPart> parts = [];
        foreach (var file in files)
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
            var name = Path.GetRelativePath(folder, file).Replace('\\', '/');
            parts.Add(new(name, Convert.ToHexStringLower(SHA256.HashData(stream))));
        }

        return parts;
    }

    /// <summary>
    /// One digest of a model: its file's; of a model in several files, that of the lines "digest  name", each with a
    /// line
    /// feed, the model file's first (what sha256sum prints of them, hashed again).
    /// </summary>
    public static string Digest(IReadOnlyList<ModelPart> parts) => parts.Count == 1
        ? parts[0].Sha256
        : Convert.ToHexStringLower(SHA256.HashData(
            Encoding.UTF8.GetBytes(string.Concat(parts.Select(p => $"{p.Sha256}  {p.Name}\n")))));

    /// <summary>The statement's bytes.</summary>
    public static byte[] Write(IReadOnlyList<ModelPart> parts)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("_type", StatementType);
            json.WriteStartArray("subject");
            foreach (var part in parts)
            {
                json.WriteStartObject();
                json.WriteString("name", part.Name);
                json.WriteStartObject("digest");
                json.WriteString("sha256", part.Sha256);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("predicateType", PredicateType);
            json.WriteStartObject("predicate");
            json.WriteString("serialization", "files");
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>Null when a statement names every one of these files as it is; else a sentence.</summary>
    public static string? Mismatch(ReadOnlyMemory<byte> statement, IReadOnlyList<ModelPart> parts)
    {
        try
        {
            using var json = JsonDocument.Parse(statement);
            var root = json.RootElement;
            if (root.GetProperty("_type").GetString() != StatementType
                || root.GetProperty("predicateType").GetString() != PredicateType)
                return "what was signed is no signature of a model";
            var said = root.GetProperty("subject").EnumerateArray().Select(s => new ModelPart(
                s.GetProperty("name").GetString() ?? "",
                s.GetProperty("digest").GetProperty("sha256").GetString() ?? "")).ToList();
            foreach (var part in parts)
            {
                if (said.Contains(part))
                    continue;
                return said.Exists(s => s.Name == part.Name)
                    ? $"{part.Name} was changed after it was signed: it has SHA-256 {part.Sha256}"
                    : $"the signature does not name {part.Name}";
            }

            return null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return "what was signed is no in-toto statement";
        }
    }
}

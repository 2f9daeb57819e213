using System.Text;

namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>
/// SHA-256 of a model: of its file and of the files beside it that hold its weights. Hashing costs a millisecond a
/// megabyte, half of what the cache saves, so the result is remembered with the stamps of the files: in this process,
/// and beside the cache for the next ones.
/// </summary>
internal static class ModelDigest
{
    /// <summary>Where digests are remembered, in the folder of the cache.</summary>
    public const string Folder = "digests";

    private const string Magic = "spillway-digest 2";

    /// <summary>Nothing larger is hashed; that takes a minute.</summary>
    private const long BytesMax = 64L * 1024 * 1024 * 1024;

    /// <summary>
    /// A digest of a file that changed within this time is not written down: clocks of file systems tick slowly, some
    /// every two seconds, and a second change in the same tick would leave no trace.
    /// </summary>
    private static readonly TimeSpan s_settled = TimeSpan.FromSeconds(2);

    /// <summary>The digest; null when a part of the model cannot be read, which the load will explain.</summary>
    /// <param name="file">Absolute path of the model.</param>
    /// <param name="memory">Folder in which digests are remembered.</param>
    /// <param name="now">To tell fresh files.</param>
    public static string? Of(string file, string memory, DateTimeOffset now)
    {
        if (ModelParts.Of(file, now, out _) is not { } parts)
            return null;
        return parts.Digest ??= Remembered(parts, memory) ?? Hashed(parts, memory, now);
    }

    private static string Note(ModelParts parts, string memory) =>
        Path.Combine(memory, CacheFolder.Hash(parts.Files[0].Path));

    private static string? Remembered(ModelParts parts, string memory)
    {
        var note = Note(parts, memory);
        if (CacheFolder.Read(note)?.Split('\n', 3) is not [Magic, { Length: 64 } digest, var files]
            || files != Stamps(parts))
            return null;
        NoteFiles.Touch(note);
        return digest;
    }

    private static string? Hashed(ModelParts parts, string memory, DateTimeOffset now)
    {
        var text = new StringBuilder();
        var bytes = 0L;
        foreach (var (path, stamp) in parts.Files)
        {
            using var part = ModelFile.Open(path, out _);
            // Another one than was looked at may lead anywhere.
            if (part is null || part.Stamp != stamp || (bytes += part.Length) > BytesMax || part.Hash() is not { } hash)
                return null;
            text.Append(hash).Append(' ').Append(Path.GetRelativePath(parts.Files[0].Path, path)).Append('\n');
        }

        var digest = CacheFolder.Hash(text.ToString());
        if (parts.Files.All(f => f.Stamp is { } stamp && stamp.IsBefore(now - s_settled)))
            CacheFolder.Write(Note(parts, memory), $"{Magic}\n{digest}\n{Stamps(parts)}");
        return digest;
    }

    /// <summary>The paths are part of the text, so that a note of other files is none.</summary>
    private static string Stamps(ModelParts parts) =>
        string.Concat(parts.Files.Select(static f => $"{f.Stamp?.ToString() ?? "unknown"} {f.Path}\n"));
}

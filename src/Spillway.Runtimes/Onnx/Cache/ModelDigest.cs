using System.IO.MemoryMappedFiles;
using System.Text;

namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>
/// SHA-256 of a model: of its file and of the files beside it that hold its weights. Hashing costs a millisecond a
/// megabyte, half of what the cache saves, so the result is remembered with the stamps of the files.
/// </summary>
internal static class ModelDigest
{
    private const string Magic = "spillway-digest 1";

    /// <summary>
    /// A file that changed within this time is hashed again: clocks of file systems tick slowly, and a second change
    /// in the same tick would leave no trace.
    /// </summary>
    private static readonly TimeSpan s_settled = TimeSpan.FromSeconds(2);

    /// <summary>The digest; null when a part of the model cannot be read, which the load will explain.</summary>
    /// <param name="file">Absolute path of the model.</param>
    /// <param name="memory">Folder in which digests are remembered.</param>
    /// <param name="now">To tell fresh files.</param>
    public static string? Of(string file, string memory, DateTimeOffset now)
    {
        var note = Path.Combine(memory, CacheFolder.Hash(file));
        if (Remembered(note) is { } known)
            return known;
        if (Files(file) is not { } files)
            return null;
        var text = new StringBuilder();
        var parts = new StringBuilder();
        var settled = true;
        foreach (var part in files)
        {
            var stamp = FileStamp.Of(part);
            settled &= stamp is { } s && s.IsBefore(now - s_settled) && !part.Contains('\n', StringComparison.Ordinal);
            if (!File.Exists(part))
                return null;
            parts.Append(CacheFolder.HashFile(part)).Append(' ').Append(Path.GetRelativePath(file, part)).Append('\n');
            text.Append(stamp).Append(' ').Append(part).Append('\n');
        }

        var digest = CacheFolder.Hash(parts.ToString());
        if (settled)
            CacheFolder.Write(note, $"{Magic}\n{digest}\n{text}");
        return digest;
    }

    private static string? Remembered(string note)
    {
        if (CacheFolder.Read(note)?.Split('\n') is not [Magic, { Length: 64 } digest, .. var files, ""]
            || files.Length == 0)
            return null;
        foreach (var line in files)
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0 || FileStamp.Of(line[(space + 1)..])?.ToString() != line[..space])
                return null;
        }

        return digest;
    }

    /// <summary>The model file and the files beside it that hold its weights; null when not all can be told.</summary>
    public static unsafe List<string>? Files(string file)
    {
        using var map = MemoryMappedFile.CreateFromFile(file, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        using var view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        var length = new FileInfo(file).Length;
        if (length > int.MaxValue)
            return null; // Protobuf ends at 2 GiB.
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            var folder = Path.GetDirectoryName(file)!;
            return ExternalFiles.Find(new(start, (int)length)) is { } names
                ? [file, .. names.Select(name => Path.GetFullPath(name, folder))]
                : null;
        }
        finally
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
    }
}

using System.Globalization;
using System.Text;

namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>
/// One optimized model on disk: the graph, its weights in a file that is mapped and not read, and a manifest with the
/// size and SHA-256 of both. Published whole by a rename and never written to again, so a process that maps it keeps
/// it even when it is deleted.
/// </summary>
/// <param name="folder">Its folder.</param>
internal sealed class CacheEntry(string folder)
{
    /// <summary>Files of an entry.</summary>
    public const string Graph = "model.onnx", Weights = "weights.bin";

    private const string Manifest = "manifest", Stamps = "stamps", Used = "used", Magic = "spillway-onnx 1";

    /// <summary>Its folder.</summary>
    public string Folder { get; } = folder;

    /// <summary>The file to load; it finds its weights by itself.</summary>
    public string GraphFile => Path.Combine(Folder, Graph);

    /// <summary>Whether it has a manifest, as everything that was published here does.</summary>
    public bool HasManifest => File.Exists(Path.Combine(Folder, Manifest));

    /// <summary>Writes the manifest of a draft and makes everything durable.</summary>
    public static void Seal(string draft)
    {
        var text = new StringBuilder(Magic).Append('\n');
        foreach (var name in Present(draft))
        {
            var file = Path.Combine(draft, name);
            using (var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite))
                RandomAccess.FlushToDisk(handle);
            text.Append(CultureInfo.InvariantCulture,
                $"{name} {new FileInfo(file).Length} {CacheFolder.HashFile(file)}\n");
        }

        CacheFolder.Write(Path.Combine(draft, Manifest), text.ToString());
        CacheFolder.Write(Path.Combine(draft, Stamps), StampText(draft));
        CacheFolder.Write(Path.Combine(draft, Used), "");
    }

    /// <summary>
    /// Whether every file is as it was when it was published. Files whose stamp is the one of then are taken as they
    /// are, which costs nothing; after a copy, a restore or a change everything is hashed, and only what has the
    /// manifest's SHA-256 is trusted. What a disk corrupts by itself under an unchanged inode is not noticed, here as
    /// little as in the model file itself.
    /// </summary>
    public bool Verify()
    {
        if (CacheFolder.Read(Path.Combine(Folder, Manifest))?.Split('\n') is not [Magic, .. var lines, ""]
            || lines.Length == 0)
            return false;
        var stamps = StampText(Folder);
        var known = stamps.Length > 0 && CacheFolder.Read(Path.Combine(Folder, Stamps)) == stamps;
        foreach (var line in lines)
        {
            if (line.Split(' ') is not [Graph or Weights, var size, { Length: 64 } hash])
                return false;
            var file = new FileInfo(Path.Combine(Folder, line.Split(' ')[0]));
            if (!file.Exists || file.Length.ToString(CultureInfo.InvariantCulture) != size
                || (!known && CacheFolder.HashFile(file.FullName) != hash))
                return false;
        }

        if (!known)
            CacheFolder.Write(Path.Combine(Folder, Stamps), stamps);
        return lines.Length == Present(Folder).Count;
    }

    /// <summary>Notes that it is in use now; what was not used for longest is deleted first.</summary>
    public void Touch(DateTimeOffset now) => File.SetLastWriteTimeUtc(Path.Combine(Folder, Used), now.UtcDateTime);

    /// <summary>When it was used last; long ago when nothing tells.</summary>
    public DateTime LastUsed => File.GetLastWriteTimeUtc(Path.Combine(Folder, Used));

    /// <summary>Bytes on disk.</summary>
    public long Bytes => new DirectoryInfo(Folder).EnumerateFiles().Sum(static file => file.Length);

    private static List<string> Present(string folder) =>
        [.. new[] { Graph, Weights }.Where(name => File.Exists(Path.Combine(folder, name)))];

    private static string StampText(string folder) => string.Concat(
        Present(folder).Select(name =>
            FileStamp.Of(Path.Combine(folder, name)) is { } stamp ? $"{name} {stamp}\n" : ""));
}

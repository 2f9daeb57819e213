using System.Collections.Concurrent;

namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>
/// The files that a model consists of: its own, and those beside it that hold its weights. Nothing else is ever read
/// for a model: one that names a file outside its own folder, or something that is no regular file, is refused, because
/// the library would follow it too. What was found is remembered with the stamps of the files, so that the steps of one
/// load look once. Immutable but for the digest; thread-safe.
/// </summary>
internal sealed class ModelParts
{
    private const int RememberedMax = 256;

    private static readonly ConcurrentDictionary<string, ModelParts> s_remembered = new(StringComparer.Ordinal);

    private ModelParts(IReadOnlyList<(string, FileStamp?)> files) => Files = files;

    /// <summary>Absolute paths, the model's own first, with their stamps when they were looked at.</summary>
    public IReadOnlyList<(string Path, FileStamp? Stamp)> Files { get; }

    /// <summary>SHA-256 of it all, once somebody worked it out.</summary>
    public string? Digest { get; set; }

    private bool IsUnchanged => Files.All(static f => f.Stamp is { } stamp && FileStamp.Of(f.Path) == stamp);

    /// <summary>The parts; null with what is wrong, in words that follow "the model file '…'".</summary>
    /// <param name="file">Absolute path of the model.</param>
    /// <param name="now">To tell fresh files.</param>
    /// <param name="problem">Empty on success.</param>
    public static ModelParts? Of(string file, DateTimeOffset now, out string problem)
    {
        problem = "";
        if (s_remembered.TryGetValue(file, out var known) && known.IsUnchanged)
            return known;
        List<(string, FileStamp?)> files = [];
        if (Look(file, files) is { } wrong)
        {
            problem = wrong;
            return null;
        }

        var parts = new ModelParts(files);
        // A fresh file is looked at again. What is written down for later processes waits longer.
        if (parts.Files.All(f => f.Stamp is { } stamp && stamp.IsBefore(now - FileStamp.Settled)))
        {
            if (s_remembered.Count >= RememberedMax)
                s_remembered.Clear();
            s_remembered[file] = parts;
        }

        return parts;
    }

    private static string? Look(string file, List<(string, FileStamp?)> files)
    {
        using var model = ModelFile.Open(file, out var problem);
        if (model is null)
            return problem;
        if (model.Length == 0)
            return "is empty";
        files.Add((file, model.Stamp));
        // The library's own format holds its weights.
        if (file.EndsWith(".ort", StringComparison.OrdinalIgnoreCase))
            return null;
        if (ExternalFiles.Find(model, out problem) is not { } names)
            return problem;
        if (names.Count == 0)
            return null;
        try
        {
            // Links are followed as the library does: into the folder, or beside what a link in place of the model
            // leads to.
            var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
            string[] allowed = [ModelFile.RealPath(folder), Path.GetDirectoryName(model.RealPath())!];
            return names.Select(name => Weights(folder, name, allowed, files))
                .FirstOrDefault(wrong => wrong is not null);
        }
        catch (Exception error) when (CacheFolder.IsFileProblem(error))
        {
            return $"cannot be read: {error.Message}";
        }
    }

    private static string? Weights(string folder, string name, string[] allowed, List<(string, FileStamp?)> files)
    {
        if (!IsInside(name))
            return Outside(name);
        var path = Path.GetFullPath(name, folder);
        using var weights = ModelFile.Open(path, out var problem);
        if (weights is null)
            return $"names weights in '{Shown(name)}', which {problem}";
        var real = weights.RealPath();
        if (!allowed.Any(at =>
            real.StartsWith(at.TrimEnd('/') + Path.DirectorySeparatorChar, StringComparison.Ordinal)))
            return Outside(name);
        files.Add((path, weights.Stamp));
        return null;
    }

    /// <summary>A relative path that stays below where it begins.</summary>
    private static bool IsInside(string name) => name.Length > 0 && !Path.IsPathRooted(name)
        && !name.AsSpan().ContainsAny('\0', '\\') && !name.Split('/').Contains("..");

    private static string Outside(string name) =>
        $"names weights in '{Shown(name)}', outside its own folder, where nothing is read for a model. Put them beside "
        + "the model file, and save it with a relative location";

    /// <summary>A stranger's text for a message: short, and without what a terminal would act on.</summary>
    private static string Shown(string name)
    {
        const int Most = 200;
        var text = new string([.. name.Take(Most).Select(static c => char.IsControl(c) ? '?' : c)]);
        return name.Length > Most ? text + "…" : text;
    }
}

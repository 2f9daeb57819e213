using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Spillway.Config.Repository;

/// <summary>
/// Tells whether a model version must be loaded anew, without reading its weights: from options, paths, sizes and
/// times.
/// </summary>
/// <param name="root">Nothing outside of it may be reached.</param>
internal sealed class Fingerprint(RepositoryRoot root)
{
    /// <summary>
    /// Most files in a version's folder, external data included. Real ones hold one to a few hundred.
    /// </summary>
    public const int FilesMax = 10_000;

    private const int DepthMax = 8;

    /// <summary>When the newest file of the last fingerprint changed, UTC.</summary>
    public DateTime ChangedUtc { get; private set; } = DateTime.MinValue;

    /// <summary>The fingerprint, or null with what is wrong.</summary>
    /// <param name="model">The version's complete options.</param>
    /// <param name="folder">The version's folder; null for a model without files.</param>
    /// <param name="problem">Empty on success.</param>
    /// <param name="remedy">Empty on success.</param>
    public string? Of(ModelOptions model, string? folder, out string problem, out string remedy)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Effective(model));
        string?[] labels = [.. model.Labels.Values, model.Outputs.Ctc?.Labels, model.Outputs.TopK?.Labels];
        foreach (var label in labels.Where(l => l is { Length: > 0 }).Distinct().Order(StringComparer.Ordinal))
            Add(hash, label!, new FileInfo(label!));
        var files = 0;
        (problem, remedy) = ("", "");
        return folder is null || Walk(hash, folder, "", ref files, ref problem, ref remedy)
            ? Convert.ToHexStringLower(hash.GetHashAndReset()) : null;
    }

    private static ReadOnlySpan<byte> Effective(ModelOptions model)
    {
        // The policy decides which versions there are, not how one behaves.
        var version = model with { Versions = new() };
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            EffectiveJson.Write(json, version, model.RuntimeOptions is { } runtime ? (model.Runtime, runtime) : null);
        return buffer.WrittenSpan;
    }

    private bool Walk(IncrementalHash hash, string folder, string below, ref int files, ref string problem,
        ref string remedy)
    {
        var entries = new DirectoryInfo(folder).EnumerateFileSystemInfos().Take(FilesMax + 1)
            .OrderBy(e => e.Name, StringComparer.Ordinal).ToArray();
        files += entries.Length;
        if (files > FilesMax || below.Split('/').Length > DepthMax + 1)
        {
            problem = $"{folder} holds more than {FilesMax} files or lies deeper than {DepthMax} folders.";
            remedy = "Keep only the model and its external data in a version's folder.";
            return false;
        }

        foreach (var entry in entries)
        {
            if (entry.LinkTarget is not null && !root.Holds(entry.FullName, out var real))
            {
                (problem, remedy) = RepositoryRoot.Escape(entry.FullName, real);
                return false;
            }

            var name = $"{below}{entry.Name}";
            if (Directory.Exists(entry.FullName))
            {
                if (!Walk(hash, entry.FullName, name + "/", ref files, ref problem, ref remedy))
                    return false;
            }
            else
            {
                Add(hash, name, new FileInfo(entry.FullName));
            }
        }

        return true;
    }

    private void Add(IncrementalHash hash, string name, FileInfo file)
    {
        // Of a link, size and time of what it leads to.
        var target = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        if (target.LastWriteTimeUtc > ChangedUtc)
            ChangedUtc = target.LastWriteTimeUtc;
        hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"{name}\0{target.Length}\0{target.LastWriteTimeUtc.Ticks}\n")));
    }
}

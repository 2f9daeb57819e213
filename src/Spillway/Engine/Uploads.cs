using Spillway.Config.Repository;

namespace Spillway.Engine;

/// <summary>
/// The uploaded models that something served came from. Bounded by the repository's options; changed by one change of
/// the repository at a time.
/// </summary>
/// <param name="options">The bounds.</param>
/// <param name="reader">Reads the repository's own folder.</param>
internal sealed class Uploads(RepositoryOptions options, RepositoryReader reader) : IDisposable
{
    private readonly Lock _changing = new();
    private readonly List<(string Model, UploadedModel Files, string? Config)> _held = [];

    /// <summary>Null, or why there is no room for another.</summary>
    public Fault? Full(string name, UploadedModel upload)
    {
        lock (_changing)
        {
            var bytes = _held.Where(h => h.Model != name).Sum(h => h.Files.Bytes) + upload.Bytes;
            if (bytes > options.UploadBytesMax)
            {
                return new(
                    FaultKind.InputTooLarge,
                    $"failed to load '{name}', uploaded models would take {bytes:N0} bytes; at most "
                    + $"{options.UploadBytesMax:N0} are kept. Unload one, or raise repository.uploadBytesMax.");
            }

            var models = _held.Select(h => h.Model).Append(name).Distinct().Count();
            return models <= options.ModelsMax ? null : new(
                FaultKind.InputTooLarge,
                $"failed to load '{name}', {options.ModelsMax:N0} uploaded models are served, the most that are. "
                + "Unload one, or raise repository.modelsMax.");
        }
    }

    /// <summary>
    /// Reads a model: from the upload; else from the repository's folder; else from the upload that it came from, with
    /// the configuration that came along unless there is another.
    /// </summary>
    public RepositoryModel? Read(string name, string? overrideJson, UploadedModel? upload)
    {
        if (upload is not null)
            return From(upload, name, overrideJson);
        if (reader.Read(name, overrideJson) is { } own)
            return own;
        var (_, files, config) = Last(name);
        return files is null ? null : From(files, name, overrideJson ?? config);
    }

    /// <summary>Keeps an upload until <see cref="Sweep"/> finds that nothing served comes from it.</summary>
    public void Hold(string name, UploadedModel upload, string? config)
    {
        lock (_changing)
            _held.Add((name, upload, config));
    }

    /// <summary>Whether it is kept.</summary>
    public bool Holds(UploadedModel upload)
    {
        lock (_changing)
            return _held.Exists(h => h.Files == upload);
    }

    /// <summary>Whether a version came from an upload.</summary>
    public bool Holds(RepositoryVersion version)
    {
        lock (_changing)
            return _held.Exists(h => IsFrom(version, h.Files));
    }

    /// <summary>Deletes what nothing served comes from.</summary>
    public void Sweep(RepositoryView served)
    {
        lock (_changing)
        {
            _held.RemoveAll(h =>
            {
                if (served.Find(h.Model)?.Versions.Any(v => IsFrom(v, h.Files)) is true)
                    return false;
                h.Files.Dispose();
                return true;
            });
        }
    }

    /// <summary>The server stops: nothing is kept.</summary>
    public void Dispose() => Sweep(RepositoryView.Empty(""));

    private (string Model, UploadedModel? Files, string? Config) Last(string name)
    {
        lock (_changing)
            return _held.LastOrDefault(h => h.Model == name);
    }

    private static bool IsFrom(RepositoryVersion version, UploadedModel upload) =>
        upload.Root is { } root && version.Options.Source.StartsWith(root + "/", StringComparison.Ordinal);

    private RepositoryModel? From(UploadedModel upload, string name, string? overrideJson)
    {
        if (upload.Root is not { } root || reader.At(root).Read(name, overrideJson) is not { } model)
            return null;
        // Where it lies is nobody's business.
        return model with
        {
            Errors = [.. model.Errors.Select(e => e with
            {
                File = Hide(e.File), Problem = Hide(e.Problem), Remedy = Hide(e.Remedy), Value = Hide(e.Value),
            })],
        };

        string Hide(string text) => text.Replace(root, "(upload)", StringComparison.Ordinal);
    }
}

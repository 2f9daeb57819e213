namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>Proofs in the folder of the cache, named by the model's key. Thread-safe.</summary>
/// <param name="find">Where the proofs of a model lie and its key; null without a cache.</param>
internal sealed class ProofFiles(Func<ModelSource, (string Folder, string Key)?> find) : IProofStore
{
    /// <summary>Where they lie, in the folder of the cache.</summary>
    public const string Folder = "proofs";

    /// <inheritdoc/>
    public string? Find(ModelSource source, string conditions)
    {
        if (Place(source, conditions) is not { } file || CacheFolder.Read(file) is not { } text)
            return null;
        NoteFiles.Touch(file);
        return text;
    }

    /// <inheritdoc/>
    public void Save(ModelSource source, string conditions, string? text)
    {
        if (Place(source, conditions) is not { } file)
            return;
        try
        {
            if (text is null)
                File.Delete(file);
            else
                CacheFolder.Write(file, text);
        }
        catch (Exception error) when (CacheFolder.IsFileProblem(error))
        {
            // Unknown at the next start.
        }
    }

    private string? Place(ModelSource source, string conditions) => find(source) is { } place
        ? Path.Combine(place.Folder, Folder, $"{place.Key}-{CacheFolder.Hash(conditions)[..16]}")
        : null;
}

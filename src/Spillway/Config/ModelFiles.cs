namespace Spillway.Config;

/// <summary>Finds the files that a model's configuration names.</summary>
internal abstract class ModelFiles
{
    /// <summary>
    /// True in a repository: the folder gives name and version, and the model file is found in each version's folder.
    /// </summary>
    public abstract bool IsVersioned { get; }

    /// <summary>The absolute path of an existing file, or null with what is wrong and what to do.</summary>
    /// <param name="text">As written.</param>
    /// <param name="what">What it is: "model file".</param>
    /// <param name="problem">Empty on success.</param>
    /// <param name="remedy">Empty on success.</param>
    public abstract string? Find(string text, string what, out string problem, out string remedy);
}

/// <summary>Files of a model that spillway.yaml lists: relative to its model.yaml, or npm:.</summary>
/// <param name="folder">Absolute folder of the model.yaml.</param>
/// <param name="native">Value of SPILLWAY_NATIVE, or null.</param>
internal sealed class FolderFiles(string folder, string? native) : ModelFiles
{
    /// <inheritdoc/>
    public override bool IsVersioned => false;

    /// <inheritdoc/>
    public override string? Find(string text, string what, out string problem, out string remedy)
    {
        if (NpmPath.Is(text))
        {
            var found = NpmPath.Resolve(text, folder, native);
            (problem, remedy) = (found.Problem, found.Remedy);
            return found.File;
        }

        (problem, remedy) = ("", "");
        var full = text.Contains('\0', StringComparison.Ordinal) ? "" : Path.GetFullPath(text, folder);
        if (File.Exists(full))
            return full;
        problem = Directory.Exists(full) ? $"This is a folder, not a {what}: {full}."
            : $"There is no {what} at {ErrorList.Clean(full, 1024)}.";
        remedy = $"Put the {what} there, or change the path; it is relative to {ModelReader.FileName}.";
        return null;
    }
}

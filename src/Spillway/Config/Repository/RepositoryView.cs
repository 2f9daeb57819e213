namespace Spillway.Config.Repository;

/// <summary>
/// What a repository's folder held when it was read: immutable, so that two of them can be compared at leisure.
/// </summary>
public sealed record RepositoryView
{
    /// <summary>Absolute path of the folder.</summary>
    public required string Root { get; init; }

    /// <summary>Every model folder, ordered by name.</summary>
    public IReadOnlyList<RepositoryModel> Models { get; init; } = [];

    /// <summary>What is wrong with the repository as a whole; errors of models are with the models.</summary>
    public IReadOnlyList<ConfigError> Errors { get; init; } = [];

    /// <summary>
    /// False when the folder could not be read to its end: a model that is missing may still be there.
    /// </summary>
    public bool IsComplete { get; init; } = true;

    /// <summary>A view without models: what is served before anything was loaded.</summary>
    public static RepositoryView Empty(string root) => new() { Root = root };

    /// <summary>The model of that name, or null.</summary>
    public RepositoryModel? Find(string name) => Models.FirstOrDefault(m => m.Name == name);

    /// <summary>With this model in place of the one of its name.</summary>
    internal RepositoryView With(RepositoryModel model) =>
        this with { Models = [.. Models.Where(m => m.Name != model.Name), model] };

    /// <summary>Without the model of that name.</summary>
    internal RepositoryView Without(string name) => this with { Models = [.. Models.Where(m => m.Name != name)] };

    /// <summary>Errors of the repository and of all models, in order.</summary>
    public IEnumerable<ConfigError> AllErrors => Errors.Concat(Models.SelectMany(m => m.Errors));

    /// <summary>Notes of all models, in order.</summary>
    public IEnumerable<ConfigError> AllNotes => Models.SelectMany(m => m.Notes);
}

/// <summary>One model folder.</summary>
public sealed record RepositoryModel
{
    /// <summary>Name of the folder and of the deployment.</summary>
    public required string Name { get; init; }

    /// <summary>Absolute path of the folder.</summary>
    public required string Folder { get; init; }

    /// <summary>Absolute path of the model.yaml or config.pbtxt; empty when there is neither.</summary>
    public string ConfigFile { get; init; } = "";

    /// <summary>The version folders that are there, ascending.</summary>
    public IReadOnlyList<int> Found { get; init; } = [];

    /// <summary>The versions that the policy chooses and that can be loaded, ascending.</summary>
    public IReadOnlyList<RepositoryVersion> Versions { get; init; } = [];

    /// <summary>
    /// What is wrong; with a wrong configuration there are no versions, with a wrong version it is missing.
    /// </summary>
    public IReadOnlyList<ConfigError> Errors { get; init; } = [];

    /// <summary>What the configuration says that has no effect here; to be shown by check and at load.</summary>
    public IReadOnlyList<ConfigError> Notes { get; init; } = [];
}

/// <summary>One version of a model, ready to be loaded.</summary>
/// <param name="Number">Number of its folder.</param>
/// <param name="Options">Validated options; version, file and source are those of this version.</param>
/// <param name="Fingerprint">
/// SHA-256 in hexadecimal of the effective options and of path, size and time of every file in the version's folder and
/// of the label files: another fingerprint means that the version must be loaded anew. Comments, the version policy and
/// other versions do not matter.
/// </param>
public sealed record RepositoryVersion(int Number, ModelOptions Options, string Fingerprint)
{
    /// <summary>
    /// When the newest of those files last changed, by the file system's clock; long ago without files.
    /// </summary>
    public DateTime ChangedUtc { get; init; } = DateTime.MinValue;
}

namespace Spillway.Config.Repository;

/// <summary>Who decides when models of the repository are loaded and unloaded.</summary>
public enum ModelControl
{
    /// <summary>All are loaded at start; later changes are not looked at.</summary>
    None,

    /// <summary>All are loaded at start; the folder is looked at again and again, and changes are taken over.</summary>
    Poll,

    /// <summary>Only those of <see cref="RepositoryOptions.Load"/> at start; then the protocol says.</summary>
    Explicit,
}

/// <summary>A folder of models: <c>&lt;model&gt;/&lt;version&gt;/model.onnx</c>.</summary>
public sealed record RepositoryOptions
{
    /// <summary>The folder; absolute after loading.</summary>
    [Option("The folder, relative to this file. Nothing outside of it is read for a model.", Required = true)]
    public string Path { get; init; } = "";

    /// <summary>Who loads and unloads.</summary>
    [Option("none loads every model at start; poll also takes over later changes of the folder; explicit loads "
        + "what load names and lets callers load, unload and override models.", Source = "Triton's model control mode")]
    public ModelControl ModelControl { get; init; } = ModelControl.None;

    /// <summary>Time between two looks at the folder.</summary>
    [Option("Under poll, how long to wait between two looks at the folder.", Unit = "ms", Min = 100, Max = 86_400_000,
        Source = "Triton's --repository-poll-secs, 15 s")]
    public double PollMs { get; init; } = 15_000;

    /// <summary>Names to load at start under explicit.</summary>
    [Option("Under explicit, the models to load at start; [\"*\"] loads all.", Source = "Triton's --load-model")]
    public IReadOnlyList<string> Load { get; init; } = [];

    /// <summary>Most model folders.</summary>
    [Option("Model folders that are looked at; with more, the rest is reported and not served.",
        Unit = "models", Min = 1, Max = 10_000, Source = "as many as a server lists by hand at most")]
    public int ModelsMax { get; init; } = 1024;

    /// <summary>Most versions of one model served at once.</summary>
    [Option("Versions of one model that are served at once; a policy that chooses more is an error.",
        Unit = "versions", Min = 1, Max = 1024, Source = "the old, the new, and a few to compare")]
    public int VersionsMax { get; init; } = 16;

    /// <summary>Most bytes of uploaded models on disk.</summary>
    [Option("Under explicit, bytes of the files that callers uploaded and that are in use; a load beyond it is "
        + "refused.",
        Unit = "bytes", Min = 1, Max = 1_000_000_000_000, Source = "sixteen of the largest bodies")]
    public long UploadBytesMax { get; init; } = 1024L * 1024 * 1024;

    /// <summary>True when every model is to be loaded at start.</summary>
    public bool LoadsAll => ModelControl != ModelControl.Explicit || Load.Contains("*");
}

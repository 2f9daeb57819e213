using Spillway.Runtimes.Onnx.Cache;

namespace Spillway.Runtimes.Onnx;

/// <summary>What a session does beside running the model; nothing by default.</summary>
internal sealed record SessionExtras
{
    /// <summary>
    /// Initializers of at least that many bytes go to a file of their own, which is mapped when loaded.
    /// </summary>
    private const int MappedBytesMin = 1024;

    /// <summary>
    /// With packed weights only large ones: a library of version 1.30 that stored the packed form of small ones (1 KB)
    /// of a text recogniser crashed when it ran it again from there, and with 64 KB and more did not.
    /// </summary>
    private const int PackedBytesMin = 64 * 1024;

    /// <summary>Where the optimized graph is written; empty: nowhere.</summary>
    public string GraphFile { get; init; } = "";

    /// <summary>Prefix of the file in which the library's profiler writes; empty: it is off.</summary>
    public string ProfilePrefix { get; init; } = "";

    /// <summary>Session configuration entries.</summary>
    public IReadOnlyList<(string Key, string Value)> Entries { get; init; } = [];

    /// <summary>Writes the optimized graph with its weights beside it.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="packed">
    /// Weights also in packed form. Loading that may crash the process: prove it in another one.
    /// </param>
    public static SessionExtras Save(string folder, bool packed) =>
        Save(folder, packed, packed ? PackedBytesMin : MappedBytesMin);

    /// <summary>As <see cref="Save(string, bool)"/>, with a size from which weights go to the file.</summary>
    public static SessionExtras Save(string folder, bool packed, int bytesMin) => new()
    {
        GraphFile = Path.Combine(folder, CacheEntry.Graph),
        Entries =
        [
            ("session.optimized_model_external_initializers_file_name", CacheEntry.Weights),
            ("session.optimized_model_external_initializers_min_size_in_bytes",
                bytesMin.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            ("session.save_external_prepacked_constant_initializers", packed ? "1" : "0"),
        ],
    };
}

namespace Spillway.Config;

/// <summary>
/// One thing wrong with a configuration, complete enough to mend it without reading the source. Texts are cut to a
/// sensible length and hold no control characters, because they end on a terminal.
/// </summary>
/// <param name="File">The file, as the caller reached it; or the environment variable that carried the value.</param>
/// <param name="Key">Path of the key: "server.port", "models[0].batching.queueLengthMax"; empty for a whole
/// file.</param>
/// <param name="Line">Line from 1; 0 for an environment variable and for a file that could not be read.</param>
/// <param name="Column">Column from 1; 0 as for <paramref name="Line"/>.</param>
/// <param name="Value">The value as written; empty where there is none.</param>
/// <param name="Problem">What is wrong, with the limit that it breaks.</param>
/// <param name="Remedy">What to do.</param>
/// <param name="Suggestion">The valid word that was probably meant; empty without one.</param>
public sealed record ConfigError(
    string File, string Key, int Line, int Column, string Value, string Problem, string Remedy, string Suggestion = "")
{
    /// <summary>"file:line:column", or only the file or the variable where there is no line.</summary>
    public string Place => Line > 0 ? $"{File}:{Line}:{Column}" : File;
}

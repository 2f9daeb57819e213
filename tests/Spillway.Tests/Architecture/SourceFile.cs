namespace Spillway.Tests.Architecture;

/// <summary>A text file of the repository.</summary>
/// <param name="Path">From the root, with forward slashes.</param>
/// <param name="Text">Its whole text.</param>
internal sealed record SourceFile(string Path, string Text)
{
    /// <summary>Without the ends of lines.</summary>
    public string[] Lines { get; } = Text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');

    /// <summary>With the dot; empty for ./run and the like.</summary>
    public string Extension => System.IO.Path.GetExtension(Path);

    /// <summary>Written by a tool: from something else that is checked, or what was measured.</summary>
    public bool Generated => Path.EndsWith("package-lock.json", StringComparison.Ordinal)
        || Path.StartsWith("docs/reference/", StringComparison.Ordinal)
        || Path.StartsWith("bench/results/", StringComparison.Ordinal);
}

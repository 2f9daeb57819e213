namespace Spillway.Config;

/// <summary>Which version folders of a model in a repository are served; at most one of the three is set.</summary>
public sealed record VersionOptions
{
    /// <summary>The newest so many.</summary>
    [Option("Serves the versions with the highest numbers, so many of them.", Unit = "versions", Min = 1, Max = 1024,
        Source = "Triton's version policy")]
    public int Latest { get; init; } = 1;

    /// <summary>Every version folder.</summary>
    [Option("Serves every version folder.")]
    public bool All { get; init; }

    /// <summary>Only these.</summary>
    [Option("Serves these versions only, each of which must be there: [1, 3].", Min = 1, Max = 2_147_483_647)]
    public IReadOnlyList<int> Only { get; init; } = [];
}

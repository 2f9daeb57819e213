namespace Spillway;

/// <summary>A served name and its version.</summary>
/// <param name="Name">The public name.</param>
/// <param name="Version">A positive integer as text.</param>
public readonly record struct ModelRef(string Name, string Version)
{
    /// <summary>"name/version".</summary>
    public override string ToString() => $"{Name}/{Version}";
}

using System.Diagnostics.CodeAnalysis;

namespace Spillway.Config.Repository;

/// <summary>
/// Where a file that a load request brings along may lie: the parameter "file:1/model.onnx" is version 1's model.onnx.
/// </summary>
/// <param name="Version">The version folder.</param>
/// <param name="File">Path below it, with forward slashes, without any .. in it.</param>
public sealed record UploadPath(int Version, string File)
{
    /// <summary>What the parameter's name begins with.</summary>
    public const string Prefix = "file:";

    private const int LengthMax = 512;

    /// <summary>Reads the name of a parameter that begins with "file:".</summary>
    /// <param name="parameter">The name.</param>
    /// <param name="path">The place; null when it is refused.</param>
    /// <param name="problem">What is wrong and what would be right; empty on success.</param>
    public static bool TryParse(string parameter, [NotNullWhen(true)] out UploadPath? path, out string problem)
    {
        (path, problem) = (null, "");
        var text = parameter.StartsWith(Prefix, StringComparison.Ordinal) ? parameter[Prefix.Length..] : "";
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (text.Length <= LengthMax && slash > 0 && VersionPolicy.Number(text[..slash]) is { } version
            && RepositoryRoot.IsInside(text[(slash + 1)..]) && !text.Any(char.IsControl))
        {
            path = new(version, text[(slash + 1)..]);
            return true;
        }

        problem = $"The parameter {ErrorList.Clean(parameter)} names no file of a version. "
            + "Write file:<version>/<file>, as in file:1/model.onnx, without .. in it.";
        return false;
    }
}

using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace Spillway.Tests.Architecture;

/// <summary>
/// How long methods are from their first statement to their last, by the portable symbols beside an assembly: exact
/// where reading the text would guess.
/// Constructors are left out, because field initialisers count into them.
/// </summary>
internal static class MethodLengths
{
    /// <summary>"file:line has a method of n lines" for each above the limit, in files below that folder.</summary>
    public static IEnumerable<string> Over(string assemblyFile, string folder, int linesMax)
    {
        using var symbols = MetadataReaderProvider.FromPortablePdbStream(
            File.OpenRead(Path.ChangeExtension(assemblyFile, ".pdb")));
        using var image = new System.Reflection.PortableExecutable.PEReader(File.OpenRead(assemblyFile));
        var (lines, types) = (symbols.GetMetadataReader(), image.GetMetadataReader());
        var found = new List<string>();
        foreach (var handle in lines.MethodDebugInformation)
        {
            var method = types.GetMethodDefinition(
                MetadataTokens.MethodDefinitionHandle(MetadataTokens.GetRowNumber(handle)));
            var name = types.GetString(method.Name);
            var points = lines.GetMethodDebugInformation(handle).GetSequencePoints().Where(p => !p.IsHidden).ToList();
            if (points.Count == 0 || name is ".ctor" or ".cctor")
                continue;
            var file = lines.GetString(lines.GetDocument(points[0].Document).Name);
            var (first, last) = (points.Min(p => p.StartLine), points.Max(p => p.EndLine));
            if (last - first + 1 > linesMax && file.StartsWith(folder, StringComparison.Ordinal)
                && !file.Contains("/obj/", StringComparison.Ordinal))
            {
                found.Add($"{Path.GetRelativePath(folder, file)}:{first} has a method of {last - first + 1} lines; "
                    + $"at most {linesMax}.");
            }
        }

        return found;
    }
}

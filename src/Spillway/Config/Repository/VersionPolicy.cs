namespace Spillway.Config.Repository;

/// <summary>Chooses which version folders are served. Pure.</summary>
internal static class VersionPolicy
{
    /// <summary>The number of a version folder, or null for any other folder: digits without a leading zero.</summary>
    public static int? Number(string folder) => folder.Length > 0 && folder[0] is >= '1' and <= '9'
        && folder.All(char.IsAsciiDigit) && int.TryParse(folder, out var number) ? number : null;

    /// <summary>The chosen versions, ascending.</summary>
    /// <param name="options">The policy.</param>
    /// <param name="found">The versions that are there, ascending.</param>
    /// <param name="missing">Versions that the policy names and that are not there.</param>
    public static IReadOnlyList<int> Choose(VersionOptions options, IReadOnlyList<int> found,
        out IReadOnlyList<int> missing)
    {
        missing = [.. options.Only.Where(v => !found.Contains(v)).Distinct().Order()];
        if (options.Only.Count > 0)
            return [.. found.Where(options.Only.Contains)];
        return options.All ? found : [.. found.Skip(Math.Max(0, found.Count - options.Latest))];
    }
}

namespace Spillway.Config;

/// <summary>Where an npm: path led.</summary>
/// <param name="File">Absolute path of an existing file; null when there is none.</param>
/// <param name="Problem">What is wrong; empty on success.</param>
/// <param name="Remedy">What to do; empty on success.</param>
public sealed record NpmResolution(string? File, string Problem = "", string Remedy = "");

/// <summary>
/// Finds files that native/package.json installs: "npm:&lt;package&gt;/&lt;file&gt;". Looked for in the folder that
/// SPILLWAY_NATIVE names (one like native/, or its node_modules), then in native/node_modules of the
/// configuration's folder and each folder above it, then likewise from the application's own folder.
/// </summary>
public static class NpmPath
{
    /// <summary>What such a path begins with.</summary>
    public const string Prefix = "npm:";

    /// <summary>The environment variable that names the folder of native/package.json.</summary>
    public const string Variable = "SPILLWAY_NATIVE";

    /// <summary>True for a text that begins with "npm:".</summary>
    public static bool Is(string text) => text.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Finds the file.</summary>
    /// <param name="text">"npm:package/file" or "npm:@scope/package/file".</param>
    /// <param name="folder">Absolute folder of the file that says so.</param>
    /// <param name="native">Value of SPILLWAY_NATIVE, or null.</param>
    public static NpmResolution Resolve(string text, string folder, string? native)
    {
        var name = Is(text) ? text[Prefix.Length..] : text;
        var parts = name.Split('/');
        if (parts.Any(p => p is "" or "." or "..") || name.AsSpan().ContainsAny('\\', '\0'))
        {
            return new(null, "A path after npm: may hold no empty part, no . or .. and no backslash.",
                "Write npm:<package>/<file>, with a file inside the package.");
        }

        if (parts.Length < (name[0] == '@' ? 3 : 2))
            return new(null, "The path names no file in a package.",
                "Write npm:<package>/<file>, or npm:@scope/<package>/<file>.");

        var relative = Path.Combine(parts);
        foreach (var root in Roots(folder, native))
        {
            var candidate = Path.Combine(root, relative);
            if (File.Exists(candidate))
                return new(Path.GetFullPath(candidate));
        }

        var package = name[0] == '@' ? $"{parts[0]}/{parts[1]}" : parts[0];
        var searched = native is null ? $"native/node_modules beside or above {folder}"
            : $"{native} and native/node_modules beside or above {folder}";
        return new(null, $"The npm package {package} has no such file here; searched {searched}.",
            $"Run npm ci in native/, or set {Variable} to the folder whose node_modules holds it.");
    }

    private static IEnumerable<string> Roots(string folder, string? native)
    {
        if (!string.IsNullOrEmpty(native))
        {
            yield return Path.Combine(Path.GetFullPath(native), "node_modules");
            yield return Path.GetFullPath(native);
        }

        foreach (var start in (string[])[folder, AppContext.BaseDirectory])
        {
            for (var at = new DirectoryInfo(start); at is not null; at = at.Parent)
                yield return Path.Combine(at.FullName, "native", "node_modules");
        }
    }
}

namespace Spillway.Config.Repository;

/// <summary>
/// The folder that nothing may leave: neither a path with .. in it nor a symbolic link, wherever in the path it stands.
/// The root itself may be reached through links, and links inside of it may lead anywhere inside of it.
/// </summary>
internal sealed class RepositoryRoot
{
    /// <summary>As many links as Linux follows in one path.</summary>
    private const int LinksMax = 40;

    private readonly string _real;

    /// <summary>Throws an <see cref="IOException"/> when the root's own links go in circles.</summary>
    public RepositoryRoot(string path)
    {
        Path = System.IO.Path.GetFullPath(path);
        var top = System.IO.Path.GetPathRoot(Path)!;
        _real = Follow(top, Path[top.Length..]) ?? throw new IOException("Its symbolic links go in circles.");
    }

    /// <summary>Absolute path as it was given.</summary>
    public string Path { get; }

    /// <summary>True when a path below the root, with all links followed, still lies in it.</summary>
    /// <param name="path">Absolute, below <see cref="Path"/>.</param>
    /// <param name="real">Where it leads; the path itself when its links go in circles.</param>
    public bool Holds(string path, out string real)
    {
        var relative = System.IO.Path.GetRelativePath(Path, path);
        var followed = Follow(_real, relative);
        real = followed ?? path;
        return followed is not null && (followed == _real
            || followed.StartsWith(_real.TrimEnd('/') + System.IO.Path.DirectorySeparatorChar,
                StringComparison.Ordinal));
    }

    /// <summary>The absolute path of a file that a configuration names, or null with what is wrong.</summary>
    /// <param name="folder">Absolute folder that the name is relative to, below the root.</param>
    /// <param name="text">As written.</param>
    /// <param name="what">What it is: "model file".</param>
    /// <param name="problem">Empty on success.</param>
    /// <param name="remedy">Empty on success.</param>
    public string? Find(string folder, string text, string what, out string problem, out string remedy)
    {
        (problem, remedy) = ("", "");
        if (NpmPath.Is(text) || !IsInside(text))
        {
            problem = $"A {what} of a repository lies in the model's own folder.";
            remedy = "Write a relative path without .., and put the file there.";
            return null;
        }

        var full = System.IO.Path.Combine(folder, text);
        if (!File.Exists(full))
        {
            problem = Directory.Exists(full) ? $"This is a folder, not a {what}: {full}."
                : $"There is no {what} at {ErrorList.Clean(full, 1024)}.";
            remedy = $"Put the {what} there, or name another.";
            return null;
        }

        if (Holds(full, out var real))
            return full;
        (problem, remedy) = Escape(full, real);
        return null;
    }

    /// <summary>The words for a link that leaves the root.</summary>
    public static (string Problem, string Remedy) Escape(string path, string real) =>
        ($"{ErrorList.Clean(path, 1024)} leads out of the repository, to {ErrorList.Clean(real, 1024)}.",
            "Copy what it leads to into the repository in place of the symbolic link.");

    /// <summary>True for a relative path that stays below where it begins.</summary>
    public static bool IsInside(string text) => text.Length > 0 && !System.IO.Path.IsPathRooted(text)
        && !text.AsSpan().ContainsAny('\0', '\\') && text.Split('/').All(p => p is not ("" or "." or ".."));

    private static string? Follow(string start, string path)
    {
        var open = new Stack<string>(Parts(path));
        var at = start;
        for (var links = 0; open.TryPop(out var part);)
        {
            if (part == "..")
            {
                at = System.IO.Path.GetDirectoryName(at) ?? at;
                continue;
            }

            var next = System.IO.Path.Combine(at, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                at = next;
                continue;
            }

            if (++links > LinksMax)
                return null;
            if (System.IO.Path.IsPathRooted(target))
                at = System.IO.Path.GetPathRoot(target)!;
            foreach (var inner in Parts(target))
                open.Push(inner);
        }

        return at;
    }

    /// <summary>Last part first, as they are pushed.</summary>
    private static IEnumerable<string> Parts(string path) =>
        path.Split(System.IO.Path.DirectorySeparatorChar).Where(p => p is not ("" or ".")).Reverse();
}

/// <summary>Files of a model in a repository: inside the model's own folder.</summary>
internal sealed class RepositoryFiles(RepositoryRoot root, string folder) : ModelFiles
{
    /// <inheritdoc/>
    public override bool IsVersioned => true;

    /// <inheritdoc/>
    public override string? Find(string text, string what, out string problem, out string remedy) =>
        root.Find(folder, text, what, out problem, out remedy);
}

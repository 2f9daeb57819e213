using System.Diagnostics;
using System.Text;
using Spillway.Tests.Runtimes.Onnx;

namespace Spillway.Tests.Architecture;

/// <summary>The files of the repository: what git tracks, or without git the tree without what is built.</summary>
internal static class Checkout
{
    private static readonly string[] s_built = ["artifacts", "node_modules", ".git", "bin", "obj", "TestResults"];

    private static readonly Lazy<IReadOnlyList<string>> s_paths = new(() => Tracked() ?? Walked());

    private static readonly Lazy<IReadOnlyList<SourceFile>> s_texts = new(() => [.. s_paths.Value
        .Select(path => (path, bytes: File.ReadAllBytes(Full(path))))
        .Where(file => !file.bytes.AsSpan(0, Math.Min(file.bytes.Length, 8000)).Contains((byte)0))
        .Select(file => new SourceFile(file.path, Encoding.UTF8.GetString(file.bytes)))]);

    /// <summary>Every path from the root, with forward slashes.</summary>
    public static IReadOnlyList<string> Paths => s_paths.Value;

    /// <summary>Every file that is text.</summary>
    public static IReadOnlyList<SourceFile> Texts => s_texts.Value;

    /// <summary>The absolute path.</summary>
    public static string Full(string path) => Path.Combine(Repository.Root, path);

    private static List<string>? Tracked()
    {
        if (!Path.Exists(Full(".git")))
            return null;
        using var git = Process.Start(new ProcessStartInfo("git", ["ls-files", "-z"])
        {
            WorkingDirectory = Repository.Root, RedirectStandardOutput = true,
        })!;
        var names = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        Assert.True(git.ExitCode == 0, $"git ls-files ended with {git.ExitCode}.");
        // A file that is deleted and not yet committed is still listed.
        return [.. names.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(path => File.Exists(Full(path)))];
    }

    private static List<string> Walked() =>
        [.. Directory.EnumerateFiles(Repository.Root, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(s_built.Contains))];
}

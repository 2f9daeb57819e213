namespace Spillway.Tests.Config.Triton;

/// <summary>Configurations in the style of Triton's documentation, each in a file of its own.</summary>
internal static class Corpus
{
    private static readonly string s_folder =
        Path.Combine(ConfigFolder.Repository, "tests", "Spillway.Tests", "Config", "Triton", "Corpus");

    public static IReadOnlyList<string> All { get; } =
        [.. Directory.EnumerateFiles(s_folder, "*.pbtxt").Select(f => Path.GetFileNameWithoutExtension(f)).Order()];

    public static string Text(string name) => File.ReadAllText(Path.Combine(s_folder, name + ".pbtxt"));

    /// <summary>A repository with that model, three versions, and every file that the corpus names.</summary>
    public static Repository.RepositoryFolder Folder(string name)
    {
        var folder = new Repository.RepositoryFolder().Write($"{name}/config.pbtxt", Text(name))
            .Write($"{name}/labels.txt", "cat\ndog\n");
        foreach (var version in (int[])[1, 2, 3])
            folder.Versions(name, version).Write($"{name}/{version}/encoder.onnx", "x");
        return folder;
    }
}

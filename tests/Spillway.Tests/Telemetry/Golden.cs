namespace Spillway.Tests.Telemetry;

/// <summary>Texts that are kept in files and compared; SPILLWAY_UPDATE_DOCS=1 writes them anew.</summary>
internal static class Golden
{
    /// <summary>Compares with a file of the repository, by its path from the root.</summary>
    public static void Check(string path, string text)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Spillway.slnx")))
            folder = folder.Parent!;
        var file = Path.Combine(folder.FullName, path);
        if (Environment.GetEnvironmentVariable("SPILLWAY_UPDATE_DOCS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }

        Assert.Equal(File.ReadAllText(file), text);
    }
}

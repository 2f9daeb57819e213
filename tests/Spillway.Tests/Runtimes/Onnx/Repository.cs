namespace Spillway.Tests.Runtimes.Onnx;

/// <summary>Finds files of the checkout that tests read.</summary>
internal static class Repository
{
    /// <summary>The folder of Spillway.slnx.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A path below it.</summary>
    public static string At(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Spillway.slnx")))
                return folder;
        }

        throw new InvalidOperationException($"No Spillway.slnx above '{AppContext.BaseDirectory}': run the tests from a checkout.");
    }
}

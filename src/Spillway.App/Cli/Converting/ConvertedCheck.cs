using Spillway.App.Hosting;
using Spillway.Config;

namespace Spillway.App.Cli.Converting;

/// <summary>
/// Holds what a conversion wrote to what `spillway check` says of it: a value that is none here is told now and not at
/// the server's first start.
/// </summary>
internal static class ConvertedCheck
{
    /// <summary>The file's text, with a note for each mistake that it still has.</summary>
    /// <param name="converted">What it says; gets the notes.</param>
    /// <param name="from">The file that it comes from.</param>
    public static string Write(Converted converted, string from)
    {
        var text = SpillwayText.Write(converted, from);
        var errors = Check(text);
        foreach (var error in errors)
        {
            var value = error.Value.Length > 0 ? $" = {error.Value}" : "";
            converted.Notes.Add($"0: {error.Key}{value}: {error.Problem} {error.Remedy}");
        }

        return errors.Count == 0 ? text : SpillwayText.Write(converted, from);
    }

    private static IReadOnlyList<ConfigError> Check(string text)
    {
        var folder = Directory.CreateTempSubdirectory("spillway-convert-");
        try
        {
            var file = Path.Combine(folder.FullName, "spillway.yaml");
            File.WriteAllText(file, text);
            return ConfigLoader.Load(file, Composition.RuntimeOptions, new Dictionary<string, string>()).Errors;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}

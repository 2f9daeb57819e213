using System.Text.Json;

namespace Spillway.Tests.Runtimes.Onnx;

public sealed class NativePackageTests
{
    [Fact]
    public void Lock_file_names_no_registry()
    {
        var text = File.ReadAllText(Repository.At("native", "package-lock.json"));
        Assert.DoesNotContain("\"resolved\"", text, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(text);
        var packages = document.RootElement.GetProperty("packages").EnumerateObject().Where(static entry => entry.Name.Length > 0);
        Assert.All(packages, static entry => Assert.StartsWith("sha512-", entry.Value.GetProperty("integrity").GetString(), StringComparison.Ordinal));
    }

    [Fact]
    public void Versions_are_exact()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Repository.At("native", "package.json")));
        Assert.All(
            document.RootElement.GetProperty("dependencies").EnumerateObject(),
            static entry => Assert.True(Version.TryParse(entry.Value.GetString(), out _), $"{entry.Name} {entry.Value} is a range"));
    }

    [Fact]
    public void Packages_run_no_scripts_when_they_are_installed()
    {
        var settings = File.ReadAllLines(Repository.At("native", ".npmrc"));
        Assert.Contains("ignore-scripts=true", settings);
        Assert.Contains("omit-lockfile-registry-resolved=true", settings);
    }
}

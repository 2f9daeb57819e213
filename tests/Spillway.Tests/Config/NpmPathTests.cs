using Spillway.Config;

namespace Spillway.Tests.Config;

public sealed class NpmPathTests
{
    [Fact]
    public void File_is_found_above_the_configuration_and_the_variable_wins()
    {
        using var folder = new ConfigFolder();
        folder.Write("native/node_modules/@s/p/a/f.bin", "near").Write("else/node_modules/@s/p/a/f.bin",
            "set").Write("x/y/z.yaml", "");

        var above = NpmPath.Resolve("npm:@s/p/a/f.bin", folder.PathOf("x/y"), native: null);
        var set = NpmPath.Resolve("npm:@s/p/a/f.bin", folder.PathOf("x/y"), folder.PathOf("else"));
        var modules = NpmPath.Resolve("npm:@s/p/a/f.bin", folder.PathOf("x/y"), folder.PathOf("else/node_modules"));

        Assert.Equal(folder.PathOf("native/node_modules/@s/p/a/f.bin"), above.File);
        Assert.Equal(folder.PathOf("else/node_modules/@s/p/a/f.bin"), set.File);
        Assert.Equal(set.File, modules.File);
    }

    [Theory]
    [InlineData("npm:")]
    [InlineData("npm:p")]
    [InlineData("npm:@s/p")]
    [InlineData("npm:../p/f")]
    [InlineData("npm:p/../f")]
    [InlineData("npm:p/./f")]
    [InlineData("npm:/etc/passwd")]
    [InlineData("npm:p//f")]
    [InlineData("npm:p\\..\\f")]
    public void Path_that_could_leave_its_package_or_names_no_file_is_refused(string text)
    {
        using var folder = new ConfigFolder();
        folder.Write("native/node_modules/p/f", "").Write("native/node_modules/f", "");

        var found = NpmPath.Resolve(text, folder.Root, folder.PathOf("native"));

        Assert.Null(found.File);
        Assert.Contains("Write npm:<package>/<file>", found.Remedy, StringComparison.Ordinal);
    }
}

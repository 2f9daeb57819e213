namespace Spillway.Tests.Config.Repository;

/// <summary>No path and no link leads out of the repository.</summary>
public sealed class RepositoryLinksTests
{
    [Theory]
    [InlineData("m")]
    [InlineData("m/1")]
    [InlineData("m/1/model.onnx")]
    [InlineData("m/1/model.onnx.data")]
    [InlineData("m/model.yaml")]
    [InlineData("m/labels.txt")]
    public void Link_out_of_the_root_is_refused_wherever_it_stands(string link)
    {
        using var folder = new RepositoryFolder().Outside("outside/1/model.onnx", "x").Outside("outside/model.yaml", "")
            .Outside("outside/file", "x");
        if (link != "m")
        {
            folder.Write("m/.keep", "");
            if (link != "m/1" && link != "m/1/model.onnx")
                folder.Versions("m", 1);
            if (link == "m/1/model.onnx")
                folder.Write("m/1/.keep", "");
            if (link == "m/labels.txt")
                folder.Write("m/model.yaml", "labels: { y: labels.txt }");
        }

        var target = link switch { "m" => "outside", "m/1" => "outside/1", "m/model.yaml" => "outside/model.yaml", _ =>
            "outside/file" };
        File.CreateSymbolicLink(folder.PathOf(link), Path.Combine(folder.Root, "..", target));

        var error = folder.Error("m");

        Assert.Contains("leads out of the repository", error.Problem, StringComparison.Ordinal);
        Assert.Contains(target, error.Problem, StringComparison.Ordinal);
        Assert.Empty(folder.Model("m").Versions);
    }

    [Fact]
    public void Links_inside_the_root_and_a_root_behind_a_link_are_fine()
    {
        using var folder = new RepositoryFolder().Write("..2026/blob.onnx", "x").Write("m/2/.keep", "");
        Directory.CreateSymbolicLink(folder.PathOf("..data"), "..2026");
        File.CreateSymbolicLink(folder.PathOf("m/2/model.onnx"), "../../..data/blob.onnx");
        Directory.CreateSymbolicLink(folder.PathOf("m/1"), "2");
        var moved = folder.Root + "-moved";
        Directory.Move(folder.Root, moved);
        Directory.CreateSymbolicLink(folder.Root, moved);

        Assert.Equal(folder.PathOf("m/2/model.onnx"), folder.Only("m").File);
        Assert.Equal([1, 2], folder.Model("m").Found);
    }

    [Fact]
    public void Links_in_a_circle_are_an_error_and_no_hang()
    {
        using var folder = new RepositoryFolder().Write("m/.keep", "");
        File.CreateSymbolicLink(folder.PathOf("m/1"), "2");
        File.CreateSymbolicLink(folder.PathOf("m/2"), "1");

        Assert.NotEmpty(folder.Model("m").Errors);
    }
}

namespace Spillway.Tests.Transforms.Picture;

public sealed class SamplePicturesTests
{
    [Fact]
    public void Every_sample_is_a_picture_with_dark_and_light_parts()
    {
        var options = Pictures.Plain(48, "bgr") with { Mean = 0.5, Deviation = 0.5 };
        var lines = File.ReadAllLines(Path.Combine(Folder(), "expected.tsv"));
        Assert.True(lines.Length >= 8);
        foreach (var line in lines)
        {
            var columns = line.Split('\t');
            Assert.Equal(2, columns.Length);
            var tensor = Pictures.Decode(File.ReadAllBytes(Path.Combine(Folder(), columns[0])), options).Value;
            Assert.InRange(tensor.Min(), -1.0001, 0);
            Assert.InRange(tensor.Max(), 0.5, 1.0001);
        }
    }

    private static string Folder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Spillway.slnx")))
            folder = folder.Parent!;
        return Path.Combine(folder.FullName, "samples", "ocr");
    }
}

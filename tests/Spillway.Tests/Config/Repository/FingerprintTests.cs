namespace Spillway.Tests.Config.Repository;

public sealed class FingerprintTests
{
    private static readonly DateTime s_time = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    public static TheoryData<string, bool> Changes => new()
    {
        { "nothing", false },
        { "comment", false },
        { "policy", false },
        { "other version", false },
        { "option", true },
        { "variable", true },
        { "weights", true },
        { "time", true },
        { "external data", true },
        { "external data below", true },
        { "labels", true },
        { "link target", true },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Fingerprint_changes_with_what_matters_and_only_with_that(string change, bool matters)
    {
        using var folder = new RepositoryFolder().Versions("m", 1).Write("m/1/parts/a.bin", "a").Write("m/labels.txt",
            "cat")
            .Write("blobs/x", "x").Write("m/model.yaml", "labels: { y: labels.txt }\nversions: { only: [1] }\n");
        File.CreateSymbolicLink(folder.PathOf("m/1/linked.bin"), folder.PathOf("blobs/x"));
        Stamp(folder);
        var before = Assert.Single(folder.Model("m").Versions).Fingerprint;

        const string Labels = "labels: { y: labels.txt }\n";
        const string Only = "versions: { only: [1] }\n";
        _ = change switch
        {
            "comment" => folder.Write("m/model.yaml", "# hi\n" + Only + Labels),
            "policy" => folder.Write("m/model.yaml", Labels),
            "other version" => folder.Write("m/9/readme.txt", "").Write("m/note.txt", ""),
            "option" => folder.Write("m/model.yaml", Labels + Only + "onnx: { intraOpThreads: 2 }\n"),
            "weights" => folder.Write("m/1/model.onnx", "longer weights"),
            "external data" => folder.Write("m/1/model.onnx.data", ""),
            "external data below" => folder.Write("m/1/parts/a.bin", "ab"),
            "labels" => folder.Write("m/labels.txt", "cats"),
            "link target" => folder.Write("blobs/x", "xy"),
            _ => folder,
        };
        if (change == "variable")
            folder.Environment["SPILLWAY__MODELS__M__BATCHING__RUNNERS"] = "2";
        Stamp(folder);
        if (change == "time")
            File.SetLastWriteTimeUtc(folder.PathOf("m/1/model.onnx"), s_time.AddSeconds(1));

        var after = Assert.Single(folder.Model("m").Versions).Fingerprint;
        Assert.Equal(64, after.Length);
        Assert.Equal(matters, before != after);
    }

    private static void Stamp(RepositoryFolder folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder.Root, "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(file, s_time);
    }
}

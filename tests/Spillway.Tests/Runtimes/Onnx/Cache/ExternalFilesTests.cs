using Spillway.Runtimes.Onnx.Cache;
using Spillway.Shared;

namespace Spillway.Tests.Runtimes.Onnx.Cache;

public sealed class ExternalFilesTests
{
    [Fact]
    public void The_file_of_weights_beside_a_model_is_found()
    {
        using var folder = new TempFolder();
        ModelCacheTests.Save(OnnxModels.Tiny(), folder.Path);
        var model = File.ReadAllBytes(Path.Combine(folder.Path, CacheEntry.Graph));
        Assert.Equal([CacheEntry.Weights], Find(model)!);
    }

    [Fact]
    public void A_model_that_holds_its_weights_has_none()
    {
        Assert.Empty(Find(OnnxModels.Tiny())!);
        // As a tool leaves it that has read the weights into the file.
        Assert.Empty(Find(OnnxModels.External("left over", external: false))!);
    }

    [Fact]
    public void A_group_that_no_reader_knows_hides_nothing()
    {
        // Field 999 as a group that holds another one; protobuf passes over both.
        byte[] group = [.. Tag(999, 3), .. Wrap(1, [1, 2, 3]), .. Tag(7, 3), .. Tag(7, 4), .. Tag(999, 4)];
        Assert.Equal(["w.bin"], Find([.. group, .. OnnxModels.External("w.bin")])!);
        // One that never ends is no protobuf.
        Assert.Empty(Find([.. Tag(999, 3), .. OnnxModels.External("w.bin")])!);
    }

    [Fact]
    public void Names_that_are_too_long_or_too_many_are_refused()
    {
        Assert.Null(Find(OnnxModels.External(new string('w', 5000))));
        var writer = new OnnxWriter().Input("x", OnnxWriter.Float, "N");
        for (var i = 0; i <= 10_000; i++)
            writer.WeightsIn($"w{i}", $"w{i}", [1]);
        Assert.Null(Find(writer.ToModel()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_the_bytes_are_it_ends_without_an_exception(int seed)
    {
        var random = new Random(seed);
        var model = OnnxModels.Loop();
        for (var round = 0; round < 300; round++)
        {
            var bytes = model[..random.Next(model.Length + 1)];
            for (var flips = random.Next(0, 6); flips > 0 && bytes.Length > 0; flips--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            _ = Find(bytes);
        }
    }

    [Fact]
    public void Graphs_nested_deeper_than_any_real_one_are_given_up()
    {
        // An attribute (5) that holds a graph (6), whose node (1) has an attribute (5), and so on.
        byte[] inner = [];
        for (var depth = 0; depth < 100; depth++)
            inner = Wrap(1, Wrap(5, Wrap(6, inner)));
        Assert.Null(Find(Wrap(7, inner)));
    }

    private static IReadOnlyCollection<string>? Find(byte[] model)
    {
        using var folder = new TempFolder();
        using var file = ModelFile.Open(folder.Write("model.onnx", model), out _);
        return ExternalFiles.Find(file!, out _);
    }

    private static byte[] Tag(int field, int wire)
    {
        var tag = (field << 3) | wire;
        return tag < 0x80 ? [(byte)tag] : [(byte)(tag & 0x7f | 0x80), (byte)(tag >> 7)];
    }

    private static byte[] Wrap(int field, byte[] body) =>
        [(byte)((field << 3) | 2), (byte)(body.Length & 0x7f | 0x80), (byte)(body.Length >> 7), .. body];
}

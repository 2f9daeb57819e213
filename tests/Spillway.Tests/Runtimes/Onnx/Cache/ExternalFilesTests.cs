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
        Assert.Equal([CacheEntry.Weights], ExternalFiles.Find(model)!);
    }

    [Fact]
    public void A_model_that_holds_its_weights_has_none() => Assert.Empty(ExternalFiles.Find(OnnxModels.Tiny())!);

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
            _ = ExternalFiles.Find(bytes);
        }
    }

    [Fact]
    public void Graphs_nested_deeper_than_any_real_one_are_given_up()
    {
        // An attribute (5) that holds a graph (6), whose node (1) has an attribute (5), and so on.
        byte[] inner = [];
        for (var depth = 0; depth < 100; depth++)
            inner = Wrap(1, Wrap(5, Wrap(6, inner)));
        Assert.Null(ExternalFiles.Find(Wrap(7, inner)));
    }

    private static byte[] Wrap(int field, byte[] body) =>
        [(byte)((field << 3) | 2), (byte)(body.Length & 0x7f | 0x80), (byte)(body.Length >> 7), .. body];
}

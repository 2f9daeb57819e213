using System.Diagnostics;
using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Runtimes.Onnx.Cache;
using Spillway.Shared;
using Spillway.Tests.Support;

namespace Spillway.Tests.Runtimes.Onnx.Cache;

/// <summary>What is read for a model: its own file and regular files in its own folder, and nothing else.</summary>
public sealed class ModelPartsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Theory]
    [InlineData("/dev/zero")]
    [InlineData("/etc/hostname")]
    [InlineData("../outside.bin")]
    [InlineData("sub/../../outside.bin")]
    [InlineData("..")]
    [InlineData("a\\b")]
    [InlineData("nul\0.bin")]
    [InlineData("")]
    [InlineData("link.bin")]
    public void Weights_outside_the_models_folder_are_refused_before_the_library_or_a_hash_follows_them(string location)
    {
        _folder.Write("outside.bin", new byte[16]);
        var source = Source(OnnxModels.External(location));
        if (!OperatingSystem.IsWindows())
            File.CreateSymbolicLink(PathOf("link.bin"), "../outside.bin");
        Assert.Contains("outside its own folder", Fault(source), StringComparison.Ordinal);
    }

    [NeedsFact(Need.Linux)]
    public void Weights_that_are_no_regular_file_are_refused_and_nobody_waits_for_a_pipe()
    {
        Directory.CreateDirectory(PathOf("folder.bin"));
        using (var mkfifo = Process.Start("mkfifo", [PathOf("pipe.bin")]))
            mkfifo.WaitForExit();
        File.CreateSymbolicLink(PathOf("device.bin"), "/dev/zero");
        Assert.Contains("'folder.bin', which is a folder", Fault(Source(OnnxModels.External("folder.bin"))),
            StringComparison.Ordinal);
        Assert.Contains("'pipe.bin', which cannot be read: it is no regular file",
            Fault(Source(OnnxModels.External("pipe.bin"))), StringComparison.Ordinal);
        Assert.Contains("no regular file", Fault(Source(OnnxModels.External("device.bin"))), StringComparison.Ordinal);
        Assert.Contains("'missing.bin', which cannot be read", Fault(Source(OnnxModels.External("missing.bin"))),
            StringComparison.Ordinal);
        foreach (var model in new[] { PathOf("pipe.bin"), "/dev/zero" })
            Assert.Contains("no regular file", Fault(new("m", model, Options())), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("w.bin")]
    [InlineData("./w.bin")]
    [InlineData("sub/w.bin")]
    public void Weights_in_the_models_folder_are_read(string location)
    {
        Weights("w.bin", 1);
        Weights("sub/w.bin", 1);
        Load(Source(OnnxModels.External(location)));
    }

    [Fact]
    public void A_model_and_weights_that_are_links_into_one_folder_are_read_as_the_library_does()
    {
        if (OperatingSystem.IsWindows())
            return;
        // As tools for downloading models lay them out.
        _folder.Write("blobs/1", OnnxModels.External("w.bin"));
        _folder.Write("blobs/2", new byte[16]);
        Directory.CreateDirectory(PathOf(""));
        File.CreateSymbolicLink(PathOf("model.onnx"), "../blobs/1");
        File.CreateSymbolicLink(PathOf("w.bin"), "../blobs/2");
        Load(new("m", PathOf("model.onnx"), Options()));
    }

    [Fact]
    public void A_terminal_gets_nothing_to_act_on_from_a_location()
    {
        var fault = Fault(Source(OnnxModels.External($"../\u001b[2J{new string('x', 1000)}")));
        Assert.DoesNotContain('\u001b', fault);
        Assert.True(fault.Length < 1000, fault);
    }

    [NeedsFact(Need.Linux)]
    public void The_steps_of_a_load_look_and_hash_once()
    {
        Weights("w.bin", 1);
        var file = Source(OnnxModels.External("w.bin")).File;
        var soon = new DateTimeOffset(File.GetLastWriteTimeUtc(file)).AddSeconds(1);
        // Too fresh to be written down for the next process.
        var memory = Path.Combine(_folder.Path, "digests");
        var digest = ModelDigest.Of(file, memory, soon);
        Assert.NotNull(digest);
        Assert.False(Directory.Exists(memory));

        var parts = ModelParts.Of(file, soon, out _);
        Assert.Equal(digest, parts!.Digest);
        Assert.Same(parts, ModelParts.Of(file, soon, out _));

        Weights("w.bin", 2);
        Assert.NotSame(parts, ModelParts.Of(file, soon, out _));
        Assert.NotEqual(digest, ModelDigest.Of(file, memory, soon));
    }

    [Fact]
    public void A_file_that_becomes_shorter_while_it_is_read_has_no_digest_and_ends_nobody()
    {
        var path = _folder.Write("shrinks.onnx", OnnxModels.Mlp());
        using var file = ModelFile.Open(path, out _);
        using (var other = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            other.SetLength(1000);
        Assert.Null(file!.Hash());
        Assert.Equal(0, file.Read(new byte[16], 2000));
        Assert.NotNull(ExternalFiles.Find(file, out _));
    }

    public void Dispose() => _folder.Dispose();

    private static OnnxOptions Options() => new() { Cache = "off" };

    private static void Load(ModelSource source) =>
        new OnnxRuntime().Load(source, CancellationToken.None).Value.Dispose();

    /// <summary>Refused by the load, and unknown to the proofs, whatever the cache.</summary>
    private string Fault(ModelSource source)
    {
        var cached = source with { Options = new OnnxOptions { Cache = Path.Combine(_folder.Path, "cache") } };
        var runtime = new OnnxRuntime();
        Assert.Null(runtime.Proofs.Find(cached, "probe"));
        runtime.Proofs.Save(cached, "probe", "proved");
        Assert.Null(runtime.Proofs.Find(cached, "probe"));
        var faults = new[] { source, cached }.Select(s => runtime.Load(s, CancellationToken.None).Fault).ToList();
        Assert.All(faults, fault => Assert.Equal(FaultKind.LoadFailed, fault?.Kind));
        Assert.Equal(faults[0]!.Message, faults[1]!.Message);
        return faults[0]!.Message;
    }

    private string PathOf(string name) => Path.Combine(_folder.Path, "m", name);

    private void Weights(string name, byte value) =>
        _folder.Write(Path.Combine("m", name), [.. Enumerable.Repeat(value, 16)]);

    private ModelSource Source(byte[] model) => new("m", _folder.Write("m/model.onnx", model), Options());
}

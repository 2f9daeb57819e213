using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Runtimes.Onnx.Cache;
using Spillway.Shared;
using Spillway.Tests.Support;

namespace Spillway.Tests.Runtimes.Onnx.Cache;

/// <summary>
/// The cache of optimised models: faster, the same bits, and nothing trusted that was not made here.
/// This file is long because all of it meets one folder.
/// </summary>
public sealed class ModelCacheTests : IDisposable
{
    private static readonly Dictionary<string, IReadOnlyList<long>> s_anything = [];

    private readonly TempFolder _folder = new();

    private string Cache => Path.Combine(_folder.Path, "cache");

    private string Own => Path.Combine(Cache, CacheFolder.Own);

    [Fact]
    public void The_second_load_takes_the_optimized_model_and_answers_the_same_bits()
    {
        var source = Source(OnnxModels.Tiny());
        var plain = Load(Source(OnnxModels.Tiny(), "off"));
        var (first, second) = (Load(source), Load(source));

        Assert.Equal((CacheUse.Off, CacheUse.Filled, CacheUse.Hit), (plain.Use, first.Use, second.Use));
        Assert.Equal(first.Answer, second.Answer);
        Assert.Equal(Floats(plain.Answer), Floats(first.Answer), static (a, b) => Math.Abs(a - b) < 1e-4);
        Assert.Single(Entries());
    }

    [Fact]
    public void Only_its_owner_may_enter_the_folder()
    {
        Load(Source(OnnxModels.Simple()));
        if (OperatingSystem.IsWindows())
            return;
        foreach (var folder in new[] { Cache, Own })
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                File.GetUnixFileMode(folder));
    }

    [Theory]
    [InlineData("flip a bit of the weights")]
    [InlineData("flip a bit and set the time back")]
    [InlineData("cut the graph")]
    [InlineData("cut the weights")]
    [InlineData("delete the weights")]
    [InlineData("garble the manifest")]
    [InlineData("delete the manifest")]
    public void A_corrupt_entry_is_rebuilt_and_not_trusted(string how)
    {
        var source = Source(OnnxModels.Tiny());
        var good = Load(source);
        Corrupt(how, Assert.Single(Entries()));

        var mended = Load(source);
        Assert.Equal(CacheUse.Rebuilt, mended.Use);
        Assert.Equal(good.Answer, mended.Answer);
        Assert.Equal(CacheUse.Hit, Load(source).Use);
    }

    [Fact]
    public void A_whole_entry_that_was_copied_is_hashed_and_then_trusted()
    {
        var source = Source(OnnxModels.Tiny());
        Load(source);
        var weights = Path.Combine(Assert.Single(Entries()), CacheEntry.Weights);
        var bytes = File.ReadAllBytes(weights);
        File.Delete(weights);
        File.WriteAllBytes(weights, bytes);
        Assert.Equal(CacheUse.Hit, Load(source).Use);
    }

    [Fact]
    public void Other_bytes_under_the_same_name_size_and_time_are_another_model()
    {
        var model = OnnxModels.Tiny();
        var source = Source(model);
        var before = Load(source);
        var time = File.GetLastWriteTimeUtc(source.File);
        // Many of the first layer's weights: one alone may lie behind a unit that is off.
        for (var i = 0; i < 65_536; i += sizeof(float))
            model[(model.Length / 2) + i] ^= 0x40;
        File.WriteAllBytes(source.File, model);
        File.SetLastWriteTimeUtc(source.File, time);

        var after = Load(source);
        Assert.Equal(CacheUse.Filled, after.Use);
        Assert.NotEqual(before.Answer, after.Answer);
    }

    [Fact]
    public void A_digest_is_remembered_until_the_file_changes_whatever_its_time_says()
    {
        var file = _folder.Write("remembered.onnx", OnnxModels.Simple());
        var (memory, later) = (Path.Combine(_folder.Path, "digests"), TimeProvider.System.GetUtcNow().AddHours(1));
        var digest = ModelDigest.Of(file, memory, later);
        if (OperatingSystem.IsLinux())
        {
            var note = File.ReadAllText(Assert.Single(Directory.GetFiles(memory)));
            Assert.Contains(digest!, note, StringComparison.Ordinal);
        }

        Assert.Equal(digest, ModelDigest.Of(file, memory, later));

        var time = File.GetLastWriteTimeUtc(file);
        Change(file, static bytes =>
        {
            bytes[^1] ^= 1;
            return bytes;
        });
        File.SetLastWriteTimeUtc(file, time);
        Assert.NotEqual(digest, ModelDigest.Of(file, memory, later));
    }

    [Fact]
    public void Weights_beside_the_model_belong_to_it()
    {
        var folder = Path.Combine(_folder.Path, "external");
        Directory.CreateDirectory(folder);
        Save(OnnxModels.Tiny(), folder);
        var source = new ModelSource("external", Path.Combine(folder, CacheEntry.Graph), Options(Cache));
        var before = Load(source);
        var weights = Path.Combine(folder, CacheEntry.Weights);
        var bytes = File.ReadAllBytes(weights);
        BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(1024), 3);
        File.WriteAllBytes(weights, bytes);

        var after = Load(source);
        Assert.Equal(CacheUse.Filled, after.Use);
        Assert.NotEqual(before.Answer, after.Answer);
    }

    [Fact]
    public void Loads_that_meet_in_one_folder_all_work_and_leave_one_entry()
    {
        var source = Source(OnnxModels.Tiny());
        var answers = new (CacheUse Use, byte[] Answer)[8];
        Parallel.For(0, answers.Length, i => answers[i] = Load(source));

        Assert.All(answers, a => Assert.Equal(answers[0].Answer, a.Answer));
        Assert.All(answers, static a => Assert.True(a.Use is CacheUse.Filled or CacheUse.Hit, $"{a.Use}"));
        Assert.Single(Entries());
        Assert.Empty(Directory.GetDirectories(Own, "tmp-*"));
    }

    [Fact]
    public void A_folder_that_cannot_be_used_is_said_once_and_the_model_serves()
    {
        var file = _folder.Write("in the way", [1]);
        using var model = LoadModel(Source(OnnxModels.Tiny(), file));
        Assert.Equal(CacheUse.Failed, model.Report?.Cache);
        Assert.Contains(file, model.Report!.Note, StringComparison.Ordinal);
        Assert.Contains("onnx.cache", model.Report.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_others_may_write_to_is_not_used()
    {
        if (OperatingSystem.IsWindows())
            return;
        Directory.CreateDirectory(Cache);
        File.SetUnixFileMode(Cache, (UnixFileMode)0x1FF);
        using var model = LoadModel(Source(OnnxModels.Tiny()));
        Assert.Contains("chmod go-w", model.Report!.Note, StringComparison.Ordinal);
        Assert.Empty(Entries());
    }

    [Fact]
    public void A_full_disk_ends_the_caching_and_not_the_load()
    {
        Assert.Null(CacheFolder.Prepare(Cache));
        var full = Assert.Throws<IOException>(() =>
            new ModelCache(Cache, 1, TimeProvider.System).Draft(long.MaxValue / 4));
        Assert.Contains("MB are free", full.Message, StringComparison.Ordinal);

        // A write that the disk refuses in the middle: here, because a file stands where the entry must go.
        var source = Source(OnnxModels.Tiny());
        Load(source);
        var entry = Assert.Single(Entries());
        Directory.Delete(entry, recursive: true);
        File.WriteAllBytes(entry, []);
        using var model = LoadModel(source);
        Assert.Equal(CacheUse.Failed, model.Report!.Cache);
        Assert.Contains("every start optimizes it again", model.Report.Note, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(Own, "tmp-*"));
    }

    [Fact]
    public void What_was_not_used_for_longest_is_deleted_first()
    {
        var options = Options(Cache) with { CacheBytesMax = 2_000_000 };
        var sources = Enumerable.Range(0, 3).Select(i =>
        {
            var model = OnnxModels.Tiny();
            model[model.Length / 2] ^= (byte)(i + 1);
            return new ModelSource("m", _folder.Write($"{i}.onnx", model), options);
        }).ToList();
        Load(sources[0]);
        var oldest = Assert.Single(Entries());
        Load(sources[1]);
        File.SetLastWriteTimeUtc(Path.Combine(oldest, "used"), DateTime.UnixEpoch.AddYears(40));
        Load(sources[2]);

        Assert.Equal(2, Entries().Length);
        Assert.False(Directory.Exists(oldest));
        Assert.Equal(CacheUse.Hit, Load(sources[1]).Use);
    }

    [Fact]
    public void What_is_not_ours_is_never_deleted_wherever_it_lies()
    {
        var options = Options(Cache) with { CacheBytesMax = 1 };
        Load(new("m", _folder.Write("first.onnx", OnnxModels.Tiny()), options));
        string[] foreign =
        [
            .. new[] { Cache, Own }.SelectMany(at => new[] { "tmp-thesis", "old-photos", new string('a', 64) }
                .Select(name => Path.Combine(at, name))),
            Path.Combine(Cache, $"tmp-{new string('b', 32)}"),
        ];
        foreach (var folder in foreign)
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "precious"), "");
            Directory.SetLastWriteTimeUtc(folder, DateTime.UnixEpoch);
        }

        var draft = Path.Combine(Own, $"tmp-{new string('c', 32)}");
        Directory.CreateDirectory(draft);
        Directory.SetLastWriteTimeUtc(draft, DateTime.UnixEpoch);
        Load(new("m", _folder.Write("second.onnx", OnnxModels.Mlp()), options));

        Assert.All(foreign, static folder => Assert.True(File.Exists(Path.Combine(folder, "precious")), folder));
        Assert.False(Directory.Exists(draft));
    }

    [Fact]
    public void A_folder_of_our_name_without_our_mark_is_somebody_elses()
    {
        Directory.CreateDirectory(Own);
        File.WriteAllText(Path.Combine(Own, "precious"), "");
        using var model = LoadModel(Source(OnnxModels.Tiny()));
        Assert.Contains("no mark of a cache of ours", model.Report!.Note, StringComparison.Ordinal);
        Assert.Empty(Entries());
    }

    [NeedsFact(Need.LinuxRoot)]
    public void A_folder_of_another_user_is_not_used()
    {
        foreach (var folder in new[] { Cache, Own })
        {
            Directory.CreateDirectory(folder);
            using var chown = System.Diagnostics.Process.Start("chown", ["65534", folder]);
            chown.WaitForExit();
            using var model = LoadModel(Source(OnnxModels.Tiny()));
            Assert.Contains("belongs to user 65534", model.Report!.Note, StringComparison.Ordinal);
            Directory.Delete(folder);
        }
    }

    [Fact]
    public void Of_digests_and_proofs_the_oldest_go()
    {
        var notes = Path.Combine(_folder.Path, "notes");
        var now = TimeProvider.System.GetUtcNow();
        string Note(int age, string name)
        {
            var file = _folder.Write(Path.Combine("notes", name), [1]);
            File.SetLastWriteTimeUtc(file, now.UtcDateTime.AddHours(-age));
            return file;
        }

        var old = Enumerable.Range(4, 3).Select(age => Note(age, CacheFolder.Hash($"{age}"))).ToList();
        List<string> stay =
        [
            Note(1, CacheFolder.Hash("digest")), Note(2, $"{CacheFolder.Hash("proof")}-0123456789abcdef"),
            Note(3, CacheFolder.Hash("third")), Note(100, "readme.txt"), Note(100, new string('x', 64)),
            Note(0, $"{CacheFolder.Hash("half")}.1.2.tmp"),
        ];
        old.Add(Note(2, $"{CacheFolder.Hash("half")}.3.4.tmp"));

        NoteFiles.Trim(notes, now, most: 3);

        Assert.All(stay, static file => Assert.True(File.Exists(file), file));
        Assert.All(old, static file => Assert.False(File.Exists(file), file));
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Writes a model with its weights in a file beside it.</summary>
    internal static void Save(byte[] model, string folder, bool packed = false, int bytesMin = 1024)
    {
        var file = Path.Combine(folder, "whole.onnx");
        File.WriteAllBytes(file, model);
        var options = new OnnxOptions { Cache = "off" };
        OnnxRuntime.Resolve(new("saved", file, options), out var library, out var provider);
        OrtSession.Create(
            library, file, options, provider, CancellationToken.None, SessionExtras.Save(folder, packed, bytesMin))
                .Dispose();
    }

    private static void Corrupt(string how, string entry)
    {
        var (graph, weights) = (Path.Combine(entry, CacheEntry.Graph), Path.Combine(entry, CacheEntry.Weights));
        var manifest = Path.Combine(entry, "manifest");
        switch (how)
        {
            case "cut the graph":
                Change(graph, static bytes => bytes[..(bytes.Length / 2)]);
                break;
            case "cut the weights":
                Change(weights, static bytes => bytes[..^1]);
                break;
            case "delete the weights":
                File.Delete(weights);
                break;
            case "garble the manifest":
                File.WriteAllText(manifest, "spillway-onnx 1\nmodel.onnx many abc\n");
                break;
            case "delete the manifest":
                File.Delete(manifest);
                break;
            default:
                var time = File.GetLastWriteTimeUtc(weights);
                Change(weights, static bytes =>
                {
                    bytes[bytes.Length / 2] ^= 0x40;
                    return bytes;
                });
                if (how.Contains("time back", StringComparison.Ordinal))
                    File.SetLastWriteTimeUtc(weights, time);
                break;
        }
    }

    private static void Change(string file, Func<byte[], byte[]> how) =>
        File.WriteAllBytes(file, how(File.ReadAllBytes(file)));

    private static float[] Floats(byte[] bytes) => MemoryMarshal.Cast<byte, float>(bytes).ToArray();

    private static OnnxOptions Options(string cache) => new() { Cache = cache };

    private static ILoadedModel LoadModel(ModelSource source) =>
        new OnnxRuntime().Load(source, CancellationToken.None).Value;

    private static (CacheUse Use, byte[] Answer) Load(ModelSource source)
    {
        using var model = LoadModel(source);
        using var replica = model.CreateReplica(0).Value;
        using var item = new TypicalItem(model.Signature, s_anything, 1);
        Assert.Null(item.Run(replica));
        return (model.Report!.Cache, item.Outputs[0]);
    }

    private ModelSource Source(byte[] model, string? cache = null) =>
        new("cached", _folder.Write("model.onnx", model), Options(cache ?? Cache));

    private string[] Entries() => Directory.Exists(Own)
        ? [.. Directory.GetDirectories(Own).Where(static folder => Path.GetFileName(folder).Length == 64)]
        : [];
}

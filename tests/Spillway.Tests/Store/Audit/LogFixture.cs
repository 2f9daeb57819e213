using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Spillway.Store;
using Spillway.Store.Audit;
using Spillway.Store.Provenance;
using Spillway.Tests.Server;
using Spillway.Tests.Support;

namespace Spillway.Tests.Store.Audit;

/// <summary>A log in a folder of its own: written, closed, damaged, read.</summary>
internal sealed class LogFixture : IDisposable
{
    public LogFixture() => Options = new() { SegmentBytesMax = 65_536, QueueLengthMax = 4096 };

    public string Root { get; } = Directory.CreateTempSubdirectory("spillway-audit-").FullName;

    public AuditOptions Options { get; set; }

    public ManualTimeProvider Time { get; } = new();

    public AuditFolder Folder => new(Path.Combine(Root, AuditFolder.Name));

    public AuditReader Reader => new(Folder);

    public static AuditEntry Access(int number) => new()
    {
        Kind = AuditKind.Access, RequestId = $"r-{number}", Caller = Caller.Local, Model = "echo", Version = "1",
        Outcome = "ok", Status = 200, Rows = 1 + number, BytesIn = 100, CostNano = 7,
    };

    /// <summary>Opens it; a fault is a failed test.</summary>
    public Opened Open()
    {
        var opened = TryOpen();
        Assert.True(opened.TryGet(out var log, out var fault), fault?.Message);
        return log;
    }

    public Outcome<Opened> TryOpen()
    {
        if (!StateFolder.Open(Root).TryGet(out var state, out var fault))
            return fault;
        if (AuditLog.Open(state, Options, new Dictionary<string, string>(), "a test", Time, NullLogger.Instance)
            .TryGet(out var log, out fault))
            return new Opened(state, log);
        state.Dispose();
        return fault;
    }

    /// <summary>A closed log of so many requests, in several heads: one at each multiple.</summary>
    public async Task<LogFixture> WithAsync(int requests, int each = int.MaxValue)
    {
        for (var done = 0; done < requests;)
        {
            await using var opened = Open();
            for (var i = 0; i < each && done < requests; i++)
                Assert.True(opened.Log.Offer(Access(done++)));
        }

        return this;
    }

    public AuditReport Verify(params AuditHead[] published)
    {
        using var key = Key();
        return new AuditVerifier(Folder, [key], published).Run(null, CancellationToken.None);
    }

    public ECDsa Key() => ModelTrust.ReadKey(Folder.PublicKey).Value;

    public IReadOnlyList<AuditHead> Heads() => AuditFolder.ReadHeads(Folder.Heads).Heads;

    /// <summary>Where each frame of a segment stands: offset and length.</summary>
    public List<(int From, int Length)> Frames(long segment)
    {
        using var reader = new SegmentReader(Folder.Segment(segment));
        List<(int, int)> frames = [];
        while (reader.Next(out var frame) is FrameState.Record)
            frames.Add(((int)reader.Offset - frame.Length, frame.Length));
        return frames;
    }

    /// <summary>Waits for what another thread does.</summary>
    public static Task UntilAsync(Func<bool> isSo) => TestServer.UntilAsync(isSo);

    /// <summary>Changes a file's bytes.</summary>
    public static void Edit(string file, Func<byte[], byte[]> change) =>
        File.WriteAllBytes(file, change(File.ReadAllBytes(file)));

    public void Dispose() => Directory.Delete(Root, recursive: true);

    /// <summary>A log and the folder that it needs.</summary>
    internal sealed record Opened(StateFolder State, AuditLog Log) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Log.DisposeAsync();
            State.Dispose();
        }
    }
}

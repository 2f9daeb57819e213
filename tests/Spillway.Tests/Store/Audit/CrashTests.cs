using Spillway.Store.Audit;

namespace Spillway.Tests.Store.Audit;

/// <summary>What a killed process leaves: the files as they were at that moment.</summary>
public sealed class CrashTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(60)]
    public async Task A_half_written_last_record_is_set_aside_counted_and_said(int missing)
    {
        using var crashed = await CrashedAsync(written: 20, lost: 0);
        var frames = crashed.Frames(0);
        var (from, length) = frames[^1];
        var torn = missing == 0 ? 0 : length - missing;
        LogFixture.Edit(crashed.Folder.Segment(0), bytes => missing == 0 ? bytes[..from] : bytes[..(from + torn)]);

        await using (var opened = crashed.Open())
            opened.Log.Offer(LogFixture.Access(99));

        var report = crashed.Verify();
        Assert.True(report.Damage is null, report.Damage?.What);
        var records = crashed.Reader.From(0).ToList();
        var said = Assert.Single(records, r => r.Action == "server.recovered");
        Assert.Equal(20, said.Index);
        Assert.Contains($"20 whole record(s) behind the last head kept, {torn} byte(s)", said.Reason,
            StringComparison.Ordinal);
        Assert.Equal("r-99", records[^2].RequestId);
        if (torn > 0)
            Assert.Equal(torn, new FileInfo(Path.Combine(crashed.Folder.Path, "torn-00000000000000000020.bin")).Length);
    }

    [Fact]
    public async Task What_only_the_memory_held_is_counted_exactly()
    {
        using var crashed = await CrashedAsync(written: 20, lost: 13);
        await using var opened = crashed.Open();
        Assert.Equal(13, opened.Log.LostBefore);
        await LogFixture.UntilAsync(() => opened.Log.Written > 21);
        Assert.Contains("13 record(s) lost with its memory",
            crashed.Reader.From(0).Single(r => r.Action == "server.recovered").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hashes_that_did_not_reach_the_disk_are_made_anew_and_half_a_head_is_cut_off()
    {
        using var crashed = await CrashedAsync(written: 20, lost: 0, signed: 5);
        LogFixture.Edit(Path.Combine(crashed.Folder.Path, TreeFile.Name), bytes => bytes[..^100]);
        File.AppendAllText(crashed.Folder.Heads, "{\"log\":\"half");

        await (crashed.Open()).DisposeAsync();

        Assert.Null(crashed.Verify().Damage);
        Assert.Equal(2, crashed.Heads().Count);
    }

    [Fact]
    public async Task A_clean_stop_needs_no_recovery()
    {
        using var fixture = await new LogFixture().WithAsync(5, each: 3);
        Assert.DoesNotContain(fixture.Reader.From(0), r => r.Action == "server.recovered");
    }

    [Fact]
    public async Task A_log_that_is_read_while_it_is_written_is_whole()
    {
        using var fixture = new LogFixture();
        await using var opened = fixture.Open();
        opened.Log.Offer(LogFixture.Access(1));
        await LogFixture.UntilAsync(() => opened.Log.Written == 2);

        var report = fixture.Verify();
        Assert.Null(report.Damage);
        Assert.Equal((2, 0), (report.Records, report.Signed));
        Assert.Contains(report.Notes, n => n.Contains("not signed yet", StringComparison.Ordinal));
        Assert.False(fixture.Reader.Prove(1).TryGet(out _, out var fault));
        Assert.Contains("not under a signed head yet", fault!.Message, StringComparison.Ordinal);
    }

    /// <summary>A copy of a log's files at a moment at which its process still had some records in memory.</summary>
    private static async Task<LogFixture> CrashedAsync(int written, int lost, int signed = 0)
    {
        using var fixture = new LogFixture();
        if (signed > 0)
            await fixture.WithAsync(signed);
        var crashed = new LogFixture();
        long accepted;
        await using (var opened = fixture.Open())
        {
            for (var i = 0; i < written; i++)
                opened.Log.Offer(LogFixture.Access(i));
            await LogFixture.UntilAsync(() => opened.Log.Waiting == 0 && opened.Log.Written > written);
            Directory.CreateDirectory(crashed.Folder.Path);
            foreach (var file in Directory.EnumerateFiles(fixture.Folder.Path))
                File.Copy(file, Path.Combine(crashed.Folder.Path, Path.GetFileName(file)));
            File.Copy(Path.Combine(fixture.Root, "keyring"), Path.Combine(crashed.Root, "keyring"));
            accepted = opened.Log.Written + lost;
        }

        // What a killed process leaves in shared memory, where a clean end leaves nothing.
        using var counter = new AcceptedCounter(crashed.Folder.ReadId());
        counter.Set(accepted);
        return crashed;
    }
}

using Spillway.Store.Audit;
using Spillway.Store.Audit.Merkle;

namespace Spillway.Tests.Store.Audit;

/// <summary>Whatever is done to a log is found, and the first bad record is named.</summary>
public sealed class DamageTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Any_altered_byte_of_any_record_is_found_and_named(int seed)
    {
        using var fixture = await new LogFixture().WithAsync(60, each: 25);
        var random = new Random(seed);
        var frames = fixture.Frames(0);
        for (var round = 0; round < 25; round++)
        {
            var index = random.Next(frames.Count);
            var (from, length) = frames[index];
            var at = from + random.Next(length);
            var bit = (byte)(1 << random.Next(8));
            Flip(at, bit);

            var damage = fixture.Verify().Damage;
            Assert.NotNull(damage);
            Assert.Equal(index, damage.First);
            Assert.Contains($"ecord {index}", damage.What, StringComparison.Ordinal);
            Flip(at, bit);
        }

        Assert.Null(fixture.Verify().Damage);

        void Flip(int at, byte bit) => LogFixture.Edit(fixture.Folder.Segment(0), bytes =>
        {
            bytes[at] ^= bit;
            return bytes;
        });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(30)]
    public async Task A_removed_record_is_named(int index)
    {
        using var fixture = await new LogFixture().WithAsync(40);
        var (from, length) = fixture.Frames(0)[index];
        LogFixture.Edit(fixture.Folder.Segment(0), bytes => [.. bytes[..from], .. bytes[(from + length)..]]);

        var damage = fixture.Verify().Damage!;
        Assert.Equal((AuditDamageKind.Removed, (long)index), (damage.Kind, damage.First));
        Assert.Contains($"Record {index} is missing", damage.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Records_in_another_order_are_named()
    {
        using var fixture = await new LogFixture().WithAsync(40);
        var frames = fixture.Frames(0);
        var (a, b) = (frames[12], frames[13]);
        LogFixture.Edit(fixture.Folder.Segment(0), bytes =>
        [
            .. bytes[..a.From], .. bytes[b.From..(b.From + b.Length)], .. bytes[a.From..(a.From + a.Length)],
            .. bytes[(b.From + b.Length)..],
        ]);

        var damage = fixture.Verify().Damage!;
        Assert.Equal(12, damage.First);
        Assert.Contains("record 13 stands in its place", damage.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repeated_record_is_named()
    {
        using var fixture = await new LogFixture().WithAsync(40);
        var (from, length) = fixture.Frames(0)[9];
        LogFixture.Edit(fixture.Folder.Segment(0), bytes =>
            [.. bytes[..(from + length)], .. bytes[from..(from + length)], .. bytes[(from + length)..]]);

        var damage = fixture.Verify().Damage!;
        Assert.Equal((AuditDamageKind.Reordered, 10L), (damage.Kind, damage.First));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task A_log_without_its_end_is_truncated_whether_inside_a_record_or_between_two(int into)
    {
        using var fixture = await new LogFixture().WithAsync(40);
        var (from, _) = fixture.Frames(0)[30];
        LogFixture.Edit(fixture.Folder.Segment(0), bytes => bytes[..(from + into)]);

        var damage = fixture.Verify().Damage!;
        Assert.Equal(30, damage.First);
        if (into == 0)
            Assert.Equal((AuditDamageKind.Truncated, 41L), (damage.Kind, damage.Last));
        // A server does not go on with it, and touches nothing.
        Assert.False(fixture.TryOpen().TryGet(out _, out var fault));
        Assert.Contains("verify", fault!.Message, StringComparison.Ordinal);
        Assert.Equal(from + into, new FileInfo(fixture.Folder.Segment(0)).Length);
    }

    [Fact]
    public async Task A_segment_that_is_gone_is_named()
    {
        using var fixture = await new LogFixture().WithAsync(3000, each: 600);
        var second = fixture.Folder.Segments()[1];
        var third = fixture.Folder.Segments()[2];
        File.Delete(fixture.Folder.Segment(second));

        var damage = fixture.Verify().Damage!;
        Assert.Equal((AuditDamageKind.Removed, second, third - 1), (damage.Kind, damage.First, damage.Last));
    }

    [Fact]
    public async Task A_record_rewritten_with_its_check_is_named_by_the_hash_that_was_kept()
    {
        using var fixture = await new LogFixture().WithAsync(40);
        Rewrite(fixture, 21);

        var damage = fixture.Verify().Damage!;
        Assert.Equal((AuditDamageKind.Altered, 21L), (damage.Kind, damage.First));
        Assert.Contains("its hash in the tree does not", damage.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_rewritten_with_its_hash_is_found_by_the_signed_heads_around_it()
    {
        using var fixture = await new LogFixture().WithAsync(40, each: 10);
        var leaf = Rewrite(fixture, 17);
        LogFixture.Edit(Path.Combine(fixture.Folder.Path, TreeFile.Name), bytes =>
        {
            leaf.CopyTo(bytes, (int)NodeAddress.Of(0, 17) * MerkleHash.Size);
            return bytes;
        });

        var damage = fixture.Verify().Damage!;
        Assert.Equal(AuditDamageKind.Rewritten, damage.Kind);
        Assert.InRange(17, damage.First, damage.Last);
        // Heads lie at 12 and 24: no wider than that.
        Assert.Equal((12L, 23L), (damage.First, damage.Last));
    }

    /// <summary>
    /// Whoever may write the folder and has no key: takes heads away, and writes anew what they proved.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Records_rewritten_behind_heads_that_were_taken_away_are_found_by_the_stop_that_nobody_signed(
        bool goesOn)
    {
        using var fixture = await new LogFixture().WithAsync(40, each: 10);
        CutHeads(fixture, to: 1);
        var leaf = Rewrite(fixture, 17);
        var tree = Path.Combine(fixture.Folder.Path, TreeFile.Name);
        LogFixture.Edit(tree, bytes =>
        {
            leaf.CopyTo(bytes, (int)NodeAddress.Of(0, 17) * MerkleHash.Size);
            return bytes;
        });
        // A restart makes the hashes behind the last head anew, and signs them.
        if (goesOn)
            await fixture.Open().DisposeAsync();
        else
            LogFixture.Edit(tree, bytes => bytes[..(int)(NodeAddress.Count(17) * MerkleHash.Size)]);

        var damage = fixture.Verify().Damage;
        Assert.Equal(AuditDamageKind.HeadMissing, damage?.Kind);
        Assert.Equal((12L, 23L), (damage!.First, damage.Last));
    }

    [Fact]
    public async Task A_server_that_finds_the_head_of_a_clean_stop_gone_says_so_in_the_log()
    {
        using var fixture = await new LogFixture().WithAsync(10);
        CutHeads(fixture, to: 0);
        await fixture.Open().DisposeAsync();

        var said = Assert.Single(fixture.Reader.From(0), r => r.Action == "server.recovered");
        Assert.Contains("12 whole record(s) behind the last head kept", said.Reason, StringComparison.Ordinal);
        Assert.Contains("heads were taken away", said.Reason, StringComparison.Ordinal);
    }

    private static void CutHeads(LogFixture fixture, int to) =>
        File.WriteAllLines(fixture.Folder.Heads, File.ReadAllLines(fixture.Folder.Heads)[..to]);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(50)]
    public async Task Altered_hashes_beside_whole_records_are_told_from_altered_records(int place)
    {
        using var fixture = await new LogFixture().WithAsync(40);
        LogFixture.Edit(Path.Combine(fixture.Folder.Path, TreeFile.Name), bytes =>
        {
            bytes[place * MerkleHash.Size] ^= 1;
            return bytes;
        });

        Assert.Equal(AuditDamageKind.TreeAltered, fixture.Verify().Damage!.Kind);
    }

    [Fact]
    public async Task A_tree_file_that_is_gone_is_said_though_the_records_are_whole()
    {
        using var fixture = await new LogFixture().WithAsync(40);
        File.Delete(Path.Combine(fixture.Folder.Path, TreeFile.Name));
        Assert.Equal(AuditDamageKind.TreeAltered, fixture.Verify().Damage!.Kind);
    }

    [Fact]
    public async Task A_head_of_another_key_or_with_other_words_is_forged()
    {
        using var fixture = await new LogFixture().WithAsync(20);
        var head = Assert.Single(fixture.Heads());
        using var stranger = AuditSigner.Make();
        var forged = AuditHead.Sign(head.Log, head.Size, Convert.FromHexString(head.Root), DateTimeOffset.UnixEpoch,
            stranger);
        File.WriteAllText(fixture.Folder.Heads, forged.Line() + "\n");
        Assert.Equal(AuditDamageKind.HeadForged, fixture.Verify().Damage!.Kind);

        File.WriteAllText(fixture.Folder.Heads, (head with { Size = head.Size - 1 }).Line() + "\n");
        Assert.Equal(AuditDamageKind.HeadForged, fixture.Verify().Damage!.Kind);
    }

    [Fact]
    public async Task Random_bytes_in_every_file_never_make_a_reader_throw_or_a_damaged_log_whole()
    {
        using var fixture = await new LogFixture().WithAsync(30);
        var random = new Random(11);
        var files = new[] { fixture.Folder.Segment(0), fixture.Folder.Heads, Path.Combine(fixture.Folder.Path,
            TreeFile.Name) };
        foreach (var file in files)
        {
            var whole = File.ReadAllBytes(file);
            for (var round = 0; round < 30; round++)
            {
                var bytes = whole.ToArray();
                random.NextBytes(bytes.AsSpan(random.Next(bytes.Length - 4), 4));
                File.WriteAllBytes(file, bytes);
                var report = fixture.Verify();
                if (!bytes.AsSpan().SequenceEqual(whole))
                    Assert.True(report.Damage is not null || report.Signed < report.Records
                        || report.Notes.Count > 0, file);
                Assert.NotNull(fixture.Reader.From(0).ToList());
            }

            File.WriteAllBytes(file, whole);
        }
    }

    /// <summary>Changes a record and makes its own check right again; gives its new hash.</summary>
    private static byte[] Rewrite(LogFixture fixture, int index)
    {
        var (from, length) = fixture.Frames(0)[index];
        var leaf = new byte[MerkleHash.Size];
        LogFixture.Edit(fixture.Folder.Segment(0), bytes =>
        {
            bytes[from + length - 1] ^= 1;
            RecordFormat.Close(bytes.AsSpan(from, length), leaf);
            return bytes;
        });
        return leaf;
    }
}

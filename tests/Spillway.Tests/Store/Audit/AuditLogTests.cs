using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Spillway.Store.Audit;
using Spillway.Store.Provenance;

namespace Spillway.Tests.Store.Audit;

/// <summary>
/// The audit log: what is written, recovered, and found when somebody changed it.
/// This file is long because each way to damage a log starts from the same log.
/// </summary>
public sealed class AuditLogTests
{
    [Fact]
    public async Task What_was_offered_is_in_the_log_after_a_clean_stop_in_order_and_signed()
    {
        using var fixture = await new LogFixture().WithAsync(3000);

        var report = fixture.Verify();
        Assert.Null(report.Damage);
        Assert.Equal(3002, report.Records);
        Assert.Equal(3002, report.Signed);
        Assert.True(fixture.Folder.Segments().Count > 1, "A segment should have been followed by another.");
        var records = fixture.Reader.From(0).ToList();
        Assert.Equal("server.started", records[0].Action);
        Assert.Equal("server.stopped", records[^1].Action);
        Assert.Equal(Enumerable.Range(0, 3000).Select(i => $"r-{i}"), records.Skip(1).SkipLast(1).Select(r =>
            r.RequestId));
        Assert.Equal(Enumerable.Range(0, 3002).Select(i => (long)i), records.Select(r => r.Index));
    }

    [Fact]
    public async Task A_record_reads_back_as_JSON_with_the_caller_as_a_hash()
    {
        using var fixture = new LogFixture();
        await using (var opened = fixture.Open())
        {
            var entry = LogFixture.Access(1);
            entry.Caller = new() { Tenant = "acme", Key = "k1", Roles = Roles.Caller };
            entry.ModelDigest = new string('a', 64);
            entry.Reason = "because";
            opened.Log.Offer(entry);
        }

        var json = Json(fixture.Reader.Find(1)!);
        Assert.Equal("access", json.GetProperty("kind").GetString());
        Assert.Equal("r-1", json.GetProperty("request_id").GetString());
        Assert.Equal(2, json.GetProperty("rows").GetInt64());
        Assert.Equal(7, json.GetProperty("cost_nano").GetInt64());
        Assert.Equal(new string('a', 64), json.GetProperty("model_digest").GetString());
        Assert.Equal("because", json.GetProperty("reason").GetString());
        Assert.DoesNotContain("acme", json.GetRawText(), StringComparison.Ordinal);
        using var vault = AuditVault.Open(fixture.Folder);
        Assert.Equal(vault.HashOf("acme").Value, json.GetProperty("tenant").GetString());
        Assert.Equal(vault.HashOf("acme/k1").Value, json.GetProperty("caller").GetString());
        Assert.NotEqual(vault.HashOf("acme/k2").Value, json.GetProperty("caller").GetString());
    }

    [Fact]
    public async Task Administration_stands_with_who_what_and_how_it_ended()
    {
        using var fixture = new LogFixture();
        await using (var opened = fixture.Open())
        {
            var log = opened.Log;
            log.Administration(Caller.Local, "model.load", "digits");
            log.Administration(Caller.Local, "model.load", "broken", FaultKind.LoadFailed, "no such file");
        }

        var (good, bad) = (Json(fixture.Reader.Find(1)!), Json(fixture.Reader.Find(2)!));
        Assert.Equal(("administration", "model.load", "digits", "ok"), Four(good));
        Assert.Equal(("administration", "model.load", "broken", "load_failed"), Four(bad));
        Assert.Equal("no such file", bad.GetProperty("reason").GetString());

        static (string?, string?, string?, string?) Four(JsonElement r) => (r.GetProperty("kind").GetString(),
            r.GetProperty("action").GetString(), r.GetProperty("subject").GetString(),
                r.GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task A_log_goes_on_over_restarts_and_every_earlier_head_is_its_beginning()
    {
        using var fixture = await new LogFixture().WithAsync(50, each: 7);

        var heads = fixture.Heads();
        Assert.Equal(8, heads.Count);
        Assert.Null(fixture.Verify().Damage);
        foreach (var head in heads)
            Assert.True(AuditReader.Holds(head, heads[^1], fixture.Reader.ProveConsistent(head.Size,
                heads[^1].Size).Value));
        Assert.False(AuditReader.Holds(
            heads[0] with { Root = heads[1].Root }, heads[^1],
            fixture.Reader.ProveConsistent(heads[0].Size, heads[^1].Size).Value));
    }

    [Fact]
    public async Task A_proof_holds_for_somebody_with_the_public_key_and_breaks_with_any_change()
    {
        using var fixture = await new LogFixture().WithAsync(20);
        var proof = fixture.Reader.Prove(fixture.Reader.FindRequest("r-11")!.Index).Value;
        var text = Text(json => AuditProofJson.Write(json, proof));

        Assert.True(AuditProofJson.Check(text).TryGet(out var found, out _));
        Assert.Equal("r-11", found.Record!.RequestId);
        using var key = fixture.Key();
        Assert.True(Assert.Single(found.Heads).IsSignedBy([key]));
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.False(found.Heads[0].IsSignedBy([stranger]));
        Assert.False((found.Heads[0] with { Size = 3 }).IsSignedBy([key]));

        var record = proof.Record.Bytes.ToArray();
        record[^1] ^= 1;
        var changed = Text(json => AuditProofJson.Write(json,
            proof with { Record = proof.Record with { Bytes = record } }));
        Assert.False(AuditProofJson.Check(changed).TryGet(out _, out _));
        Assert.False(AuditProofJson.Check("{}"u8.ToArray()).TryGet(out _, out _));
        Assert.False(AuditProofJson.Check("["u8.ToArray()).TryGet(out _, out _));
    }

    [Fact]
    public async Task A_second_process_on_one_store_is_refused_and_the_first_goes_on()
    {
        using var fixture = new LogFixture();
        await using (var first = fixture.Open())
        {
            Assert.False(fixture.TryOpen().TryGet(out _, out var fault));
            Assert.Equal(FaultKind.StoreFailed, fault!.Kind);
            Assert.Contains("One server at a time", fault.Message, StringComparison.Ordinal);
            first.Log.Offer(LogFixture.Access(1));
        }

        Assert.Null(fixture.Verify().Damage);
    }

    [Fact]
    public async Task A_clock_that_jumps_back_is_noted_and_nothing_breaks()
    {
        using var fixture = new LogFixture();
        await using (var opened = fixture.Open())
        {
            var later = LogFixture.Access(1);
            later.Time = 2_000_000_000_000_000;
            opened.Log.Offer(later);
            opened.Log.Offer(LogFixture.Access(2));
        }

        var report = fixture.Verify();
        Assert.Null(report.Damage);
        Assert.Contains(report.Notes, n => n.Contains("clock went back 1 time", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Heads_are_published_and_a_log_written_anew_with_its_own_key_is_found_by_them()
    {
        using var fixture = new LogFixture();
        var elsewhere = Path.Combine(fixture.Root, "published.jsonl");
        fixture.Options = fixture.Options with { Publish = elsewhere };
        await fixture.WithAsync(10);
        var published = Assert.Single(AuditFolder.ReadHeads(elsewhere).Heads);
        Assert.Equal(fixture.Heads()[^1], published);

        // The owner of the keys throws everything away and writes another history of the same length.
        foreach (var file in Directory.EnumerateFiles(fixture.Folder.Path, "*.log").Append(fixture.Folder.Heads)
            .Append(Path.Combine(fixture.Folder.Path, TreeFile.Name)))
            File.Delete(file);
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await fixture.WithAsync(10);

        Assert.Null(fixture.Verify().Damage);
        Assert.Equal(AuditDamageKind.Rewritten, fixture.Verify(published).Damage!.Kind);
    }

    [Fact]
    public async Task After_a_change_of_keys_the_heads_before_it_are_verified_with_the_old_one()
    {
        using var fixture = await new LogFixture().WithAsync(3);
        File.Delete(fixture.Folder.SigningKey);
        await fixture.WithAsync(3);

        Assert.Equal(2, fixture.Heads().Select(h => h.Key).Distinct().Count());
        Assert.Equal(AuditDamageKind.HeadForged, fixture.Verify().Damage!.Kind);
        var keys = fixture.Folder.PublicKeys().Select(f => ModelTrust.ReadKey(f).Value).ToList();
        Assert.Null(new AuditVerifier(fixture.Folder, keys, []).Run(null, CancellationToken.None).Damage);
        keys.ForEach(k => k.Dispose());
    }

    [Fact]
    public async Task An_unwritable_place_for_heads_stops_nothing_and_is_counted()
    {
        using var fixture = new LogFixture();
        fixture.Options = fixture.Options with { Publish = Path.Combine(fixture.Root, "absent", "heads.jsonl") };
        var opened = fixture.Open();
        await opened.DisposeAsync();
        Assert.Equal(1, opened.Log.PublishFailures);
        Assert.Null(fixture.Verify().Damage);
    }

    [Theory]
    [InlineData(AuditFailure.Refuse)]
    [InlineData(AuditFailure.Serve)]
    public async Task A_disk_that_says_no_refuses_or_serves_as_declared_and_nothing_is_lost_when_it_is_back(
        AuditFailure declared)
    {
        using var fixture = new LogFixture();
        fixture.Options = fixture.Options with { OnFailure = declared };
        // The first segment's place is taken, as a write to a full disk would fail.
        Directory.CreateDirectory(fixture.Folder.Segment(0));
        await using (var opened = fixture.Open())
        {
            var log = opened.Log;
            log.Offer(LogFixture.Access(0));
            await LogFixture.UntilAsync(() => log.Failure is not null);
            var refusal = log.Refusal;
            if (declared is AuditFailure.Refuse)
                Assert.Contains("audit.onFailure: refuse", refusal!.Message, StringComparison.Ordinal);
            else
                Assert.Null(refusal);
            log.Offer(LogFixture.Access(1));
            log.RefusedRequest();

            Directory.Delete(fixture.Folder.Segment(0));
            await LogFixture.UntilAsync(() => log.Failure is null);
            Assert.Null(log.Refusal);
        }

        Assert.Null(fixture.Verify().Damage);
        var records = fixture.Reader.From(0).ToList();
        Assert.Equal(["r-0", "r-1"], records.Where(r => r.Kind is AuditKind.Access).Select(r => r.RequestId));
        Assert.Contains(records, r => r.Action == "requests.refused"
            && r.Reason.StartsWith("1 request", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_finds_no_room_is_counted_and_the_log_says_it_itself()
    {
        using var fixture = new LogFixture();
        fixture.Options = fixture.Options with { OnFailure = AuditFailure.Serve, QueueLengthMax = 1024 };
        Directory.CreateDirectory(fixture.Folder.Segment(0));
        var accepted = 0;
        await using (var opened = fixture.Open())
        {
            var log = opened.Log;
            log.Offer(LogFixture.Access(0));
            await LogFixture.UntilAsync(() => log.Failure is not null);
            for (var i = 1; i <= 5000; i++)
                accepted += log.Offer(LogFixture.Access(i)) ? 1 : 0;
            Assert.Equal(5000 - accepted, log.Lost);
            Assert.InRange(accepted, 1, 4999);
            Directory.Delete(fixture.Folder.Segment(0));
            await LogFixture.UntilAsync(() => log.Failure is null);
        }

        Assert.Null(fixture.Verify().Damage);
        var records = fixture.Reader.From(0).ToList();
        Assert.Equal(accepted + 1, records.Count(r => r.Kind is AuditKind.Access));
        Assert.Contains(records, r => r.Action == "records.lost"
            && r.Reason.StartsWith($"{5000 - accepted} record", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_flood_leaves_no_room_for_is_told_to_the_last_record()
    {
        using var fixture = new LogFixture();
        fixture.Options = fixture.Options with { OnFailure = AuditFailure.Serve, QueueLengthMax = 1024 };
        AuditLog log;
        await using (var opened = fixture.Open())
        {
            log = opened.Log;
            // The queue is full again before the writer has room for what it has to say.
            var floods = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
            {
                for (var i = 0; i < 400_000; i++)
                    log.Offer(LogFixture.Access(i));
            }));
            await Task.WhenAll(floods);
        }

        Assert.NotEqual(0, log.Lost);
        Assert.Equal(log.Lost, fixture.Reader.From(0).Where(r => r.Action == "records.lost")
            .Sum(r => long.Parse(r.Reason.Split(' ')[0], CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task A_flood_of_wrong_keys_is_listed_in_part_and_counted_in_full()
    {
        using var fixture = new LogFixture();
        await using (var opened = fixture.Open())
        {
            for (var i = 0; i < 1000; i++)
                opened.Log.Denied(null, FaultKind.Unauthenticated, "POST /v2/models/echo/infer");
        }

        var records = fixture.Reader.From(0).Where(r => r.Action == "access.denied").ToList();
        Assert.Equal(100, records.Count(r => r.Kind is AuditKind.Refusal && r.Outcome == "unauthenticated"));
        Assert.Equal(900, records.Where(r => r.Kind is AuditKind.Server)
            .Sum(r => int.Parse(r.Reason.Split(' ')[0], CultureInfo.InvariantCulture)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_reader_that_goes_page_by_page_or_anywhere_reads_the_same_records(int seed)
    {
        using var fixture = await new LogFixture().WithAsync(2000, each: 700);
        var all = fixture.Reader.From(0).Select(r => r.RequestId).ToList();
        var (reader, random) = (fixture.Reader, new Random(seed));
        for (var round = 0; round < 60; round++)
        {
            var from = round % 2 == 0 ? random.Next(all.Count) : Math.Min(all.Count - 1, round * 30);
            var page = reader.From(from).Take(random.Next(1, 90)).ToList();
            Assert.Equal(all.Skip(from).Take(page.Count), page.Select(r => r.RequestId));
            Assert.Equal(from, page[0].Index);
        }
    }

    [Fact]
    public async Task A_log_is_verified_from_its_records_alone_and_any_change_of_them_is_found()
    {
        using var fixture = await new LogFixture().WithAsync(30, each: 8);
        using var key = fixture.Key();
        var records = fixture.Reader.From(0).Select(r => r.Bytes.ToArray()).ToList();
        Assert.Null(Replay(records).Damage);
        Assert.Equal(records.Count, Replay(records).Signed);
        Assert.Equal(AuditDamageKind.Truncated, Replay([.. records.SkipLast(1)]).Damage!.Kind);
        Assert.Equal(7, Replay([.. records.Where((_, i) => i != 7)]).Damage!.First);
        records[13][^1] ^= 1;
        Assert.Equal(AuditDamageKind.Rewritten, Replay(records).Damage!.Kind);

        AuditReport Replay(List<byte[]> bytes)
        {
            var replay = new AuditReplay(fixture.Folder.ReadId(), fixture.Heads(), [key]);
            _ = bytes.TrueForAll(b => replay.Add(b));
            return replay.Report();
        }
    }

    [Fact]
    public async Task Offering_a_record_allocates_nothing()
    {
        using var fixture = new LogFixture();
        await using var opened = fixture.Open();
        Offer(opened.Log, 100);
        Assert.Equal(0, Offer(opened.Log, 500));

        static long Offer(AuditLog log, int times)
        {
            var entry = LogFixture.Access(1);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < times; i++)
                log.Offer(entry);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static JsonElement Json(AuditRecord record) => JsonElement.Parse(Text(record.WriteJson));

    private static byte[] Text(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
            write(json);
        return buffer.ToArray();
    }
}

using System.Buffers;
using System.Text;
using Spillway.Store.Audit;
using Spillway.Store.Sealing;

namespace Spillway.Tests.Store.Audit;

public sealed class PayloadTests
{
    private static readonly byte[] s_inputs = Encoding.UTF8.GetBytes("what a caller asked, which nobody else may read");

    [Fact]
    public async Task Inputs_are_encrypted_read_back_with_the_ring_and_nothing_on_disk_shows_them()
    {
        using var fixture = await WithPayloadAsync();
        var record = Payload(fixture);
        using var vault = AuditVault.Open(fixture.Folder);

        Assert.Equal(s_inputs, vault.Inputs(record).Value);
        foreach (var file in Directory.EnumerateFiles(fixture.Root, "*", SearchOption.AllDirectories))
            Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(s_inputs.AsSpan(0, 12)));
    }

    [Fact]
    public async Task Inputs_of_one_record_do_not_pass_for_those_of_another_and_a_changed_byte_is_found()
    {
        using var fixture = await WithPayloadAsync();
        var record = Payload(fixture);
        using var store = new PayloadStore(
            fixture.Folder.Payloads, fixture.Folder.ReadId(), KeyRing.Open(Path.Combine(fixture.Root,
                "keyring")).Value);
        Assert.False(store.Read(record.Payload!.Value, record.Index + 1).TryGet(out _, out _));

        LogFixture.Edit(Directory.EnumerateFiles(fixture.Folder.Payloads).Single(), bytes =>
        {
            bytes[^1] ^= 1;
            return bytes;
        });
        Assert.False(store.Read(record.Payload!.Value, record.Index).TryGet(out _, out var fault));
        Assert.Contains("changed after", fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Retention_deletes_inputs_says_so_and_the_log_stays_whole()
    {
        using var fixture = new LogFixture();
        fixture.Options = fixture.Options with { PayloadDays = 2 };
        await WithPayloadAsync(fixture);
        fixture.Time.Advance(TimeSpan.FromDays(2));
        await RetainAsync();
        Assert.Single(Directory.EnumerateFiles(fixture.Folder.Payloads));

        fixture.Time.Advance(TimeSpan.FromDays(1));
        await RetainAsync();
        Assert.Empty(Directory.EnumerateFiles(fixture.Folder.Payloads));
        Assert.Null(fixture.Verify().Damage);
        Assert.Contains(fixture.Reader.From(0), r => r.Action == "payloads.deleted"
            && r.Reason.StartsWith("1 file(s) older than 2 day(s)", StringComparison.Ordinal));
        using var vault = AuditVault.Open(fixture.Folder);
        Assert.False(vault.Inputs(Payload(fixture)).TryGet(out _, out var fault));
        Assert.Contains("were deleted", fault!.Message, StringComparison.Ordinal);

        async Task RetainAsync()
        {
            await using var opened = fixture.Open();
            opened.Log.Retain();
        }
    }

    [Fact]
    public async Task Retention_deletes_inputs_also_of_a_server_that_runs_on_and_gets_no_more()
    {
        using var fixture = new LogFixture();
        fixture.Options = fixture.Options with { PayloadDays = 2 };
        await using var opened = fixture.Open();
        Offer(opened.Log);
        await LogFixture.UntilAsync(() => opened.Log.Written == 2);
        fixture.Time.Advance(TimeSpan.FromDays(4));
        opened.Log.Retain();
        await LogFixture.UntilAsync(() => !Directory.EnumerateFiles(fixture.Folder.Payloads).Any());
        Offer(opened.Log);
        await LogFixture.UntilAsync(() => Directory.EnumerateFiles(fixture.Folder.Payloads).Any());
    }

    private static AuditRecord Payload(LogFixture fixture) =>
        fixture.Reader.From(0).Single(r => r.Kind is AuditKind.Payload);

    private static async Task<LogFixture> WithPayloadAsync(LogFixture? fixture = null)
    {
        fixture ??= new();
        await using var opened = fixture.Open();
        Offer(opened.Log);
        return fixture;
    }

    private static void Offer(AuditLog log)
    {
        var rented = ArrayPool<byte>.Shared.Rent(s_inputs.Length);
        s_inputs.CopyTo(rented, 0);
        Assert.True(log.TryHoldPayload(s_inputs.Length));
        log.Offer(new()
        {
            Kind = AuditKind.Payload, RequestId = "r-1", Model = "echo", Payload = rented,
                PayloadLength = s_inputs.Length,
        });
    }
}

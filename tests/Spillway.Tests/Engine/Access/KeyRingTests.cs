using System.Text;
using Spillway.Policies.Identity;

namespace Spillway.Tests.Engine.Access;

public sealed class KeyRingTests
{
    [Fact]
    public async Task A_key_is_known_with_its_rights_and_after_a_restart()
    {
        await using var ring = new Ring();
        var issued = ring.Issue(new()
        {
            Tenant = "team-a", Name = "batch", Environment = "test", Roles = Roles.Caller | Roles.Auditor,
            Models = ["m1", "m2"], Detail = new(LabelOnly: true, TopK: 3, Decimals: 2), Lifetime = TimeSpan.FromDays(1),
        });
        Assert.StartsWith($"sw_test_{issued.Key.Id}_", issued.Text, StringComparison.Ordinal);
        await ring.ReopenAsync();
        var caller = ring.Who(issued.Text);
        Assert.Equal(("team-a", issued.Key.Id), (caller.Tenant, caller.Key));
        Assert.Equal(Roles.Caller | Roles.Auditor, caller.Roles);
        Assert.True(caller.MayUse("m2") && !caller.MayUse("m3"));
        Assert.Equal(new(LabelOnly: true, TopK: 3, Decimals: 2), caller.Detail);
    }

    [Fact]
    public async Task All_requests_of_a_key_share_one_caller_also_after_a_rotation_and_changes_of_others()
    {
        await using var ring = new Ring();
        var issued = ring.Issue();
        var caller = ring.Who(issued.Text);
        ring.Issue();
        Assert.Same(caller, ring.Who(issued.Text));
        var rotated = ring.Keys.Rotate(issued.Key.Id, TimeSpan.FromHours(1)).Value;
        Assert.Same(caller, ring.Who(issued.Text));
        Assert.Same(caller, ring.Who(rotated.Text));
    }

    [Fact]
    public async Task A_known_key_allocates_nothing()
    {
        await using var ring = new Ring();
        var text = ring.Issue().Text;
        ring.Who(text);
        ring.Keys.Identify(text, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            ring.Keys.Identify(text, out _);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task A_revoked_key_is_refused_with_the_next_request_and_for_good()
    {
        await using var ring = new Ring();
        var issued = ring.Issue();
        ring.Who(issued.Text);
        Assert.NotNull(ring.Keys.Revoke(issued.Key.Id).Value.Revoked);
        Assert.Contains("was revoked", ring.Refuses(issued.Text, Refusal.Revoked), StringComparison.Ordinal);
        await ring.ReopenAsync();
        ring.Refuses(issued.Text, Refusal.Revoked);
        Assert.Equal((0, 0, 1), ring.Keys.Count());
        Assert.NotNull(ring.Keys.Rotate(issued.Key.Id, TimeSpan.Zero).Fault);
    }

    [Fact]
    public async Task A_key_ends_at_its_time_though_it_is_known()
    {
        await using var ring = new Ring();
        var issued = ring.Issue(new() { Tenant = "t", Lifetime = TimeSpan.FromMinutes(10) });
        ring.Who(issued.Text);
        ring.Time.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromMilliseconds(1));
        ring.Who(issued.Text);
        ring.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Contains("expired", ring.Refuses(issued.Text, Refusal.Expired), StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_rotation_both_secrets_work_until_the_grace_is_over()
    {
        await using var ring = new Ring();
        var first = ring.Issue();
        ring.Who(first.Text);
        var second = ring.Keys.Rotate(first.Key.Id, TimeSpan.FromHours(2)).Value;
        ring.Who(first.Text);
        ring.Time.Advance(TimeSpan.FromHours(2));
        Assert.Contains("was rotated", ring.Refuses(first.Text, Refusal.Expired), StringComparison.Ordinal);
        ring.Who(second.Text);
        var third = ring.Keys.Rotate(first.Key.Id, TimeSpan.Zero).Value;
        ring.Refuses(second.Text, Refusal.Unknown);
        await ring.ReopenAsync();
        ring.Who(third.Text);
    }

    [Fact]
    public async Task Unknown_ids_and_wrong_secrets_are_told_the_same()
    {
        await using var ring = new Ring();
        var issued = ring.Issue();
        var wrong = KeyText.Create("live", issued.Key.Id);
        var unknown = KeyText.Create("live", KeyText.NewId());
        Assert.Equal(ring.Refuses(wrong, Refusal.Unknown), ring.Refuses(unknown, Refusal.Unknown));
        // A label of its own makes another key, though id and secret are right.
        Assert.Contains("mistyped", ring.Refuses(issued.Text.Replace("sw_live", "sw_test", StringComparison.Ordinal),
            Refusal.Malformed), StringComparison.Ordinal);
        ring.Refuses(issued.Text + new string('a', 10_000), Refusal.Malformed);
    }

    /// <summary>Not by the clock, which tells of the machine: by what is computed.</summary>
    [Theory]
    [InlineData("an unknown id")]
    [InlineData("a wrong secret")]
    [InlineData("a wrong secret of a rotated key")]
    [InlineData("the former secret of a rotated key")]
    [InlineData("a key of an ended rotation")]
    [InlineData("a revoked key")]
    [InlineData("a wrong secret of a revoked key")]
    [InlineData("an expired key")]
    [InlineData("a good key, the first time")]
    public async Task Every_look_up_of_an_unknown_text_does_the_same_work(string what)
    {
        await using var ring = new Ring();
        ring.Issue();
        var issued = ring.Issue(new() { Tenant = "team-a", Lifetime = TimeSpan.FromDays(1) });
        var id = issued.Key.Id;
        if (what.Contains("rotat", StringComparison.Ordinal))
            ring.Keys.Rotate(id, TimeSpan.FromHours(1));
        if (what.Contains("revoked", StringComparison.Ordinal))
            ring.Keys.Revoke(id);
        if (what.Contains("ended", StringComparison.Ordinal))
            ring.Time.Advance(TimeSpan.FromHours(2));
        if (what.Contains("expired", StringComparison.Ordinal))
            ring.Time.Advance(TimeSpan.FromDays(2));
        var text = what.Contains("unknown", StringComparison.Ordinal) ? KeyText.Create("live", KeyText.NewId())
            : what.Contains("wrong", StringComparison.Ordinal) ? KeyText.Create("live", id) : issued.Text;

        var before = ring.Keys.Check.Work;
        var found = ring.Keys.Identify(text, out var why);
        var after = ring.Keys.Check.Work;
        Assert.Equal((1, 2L * KeyDigest.Length),
            (after.Digests - before.Digests, after.BytesCompared - before.BytesCompared));
        // Who does not have the secret is told the same, whatever the key is.
        if (what.Contains("wrong", StringComparison.Ordinal) || what.Contains("unknown", StringComparison.Ordinal))
            Assert.Equal((Refusal.Unknown, "No such key is known to this server. Ask its operator for one."),
                (why, found.Fault!.Message));
    }

    [Fact]
    public async Task Ten_thousand_wrong_keys_leave_nothing_in_memory()
    {
        await using var ring = new Ring();
        var issued = ring.Issue();
        var wrong = KeyText.Create("live", issued.Key.Id);
        ring.Refuses(wrong, Refusal.Unknown);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
            ring.Keys.Identify(wrong, out _);
        // The library's HMAC may allocate a little; the point is that nothing grows with what strangers send.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 10_000, 0, 512);
        ring.Who(issued.Text);
    }

    [Fact]
    public async Task Neither_the_secret_nor_the_whole_key_lies_on_the_disk()
    {
        await using var ring = new Ring();
        var issued = ring.Issue();
        ring.Who(issued.Text);
        await ring.Keys.DisposeAsync();
        var secret = issued.Text.Split('_')[3];
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(ring.File)!))
        {
            var bytes = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
            Assert.DoesNotContain(secret, bytes, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_last_use_is_written_in_the_background_and_survives()
    {
        await using var ring = new Ring();
        var issued = ring.Issue();
        Assert.Null(ring.Keys.List().Single().LastUsed);
        ring.Time.Advance(TimeSpan.FromHours(1));
        ring.Who(issued.Text);
        var used = ring.Keys.List().Single().LastUsed;
        Assert.Equal(DateTimeOffset.UnixEpoch.AddHours(1), used);
        await ring.ReopenAsync();
        Assert.Equal(used, ring.Keys.List().Single().LastUsed);
    }

    [Theory]
    [InlineData("", "tenant")]
    [InlineData("a b", "tenant")]
    [InlineData("x\r\ny", "tenant")]
    public async Task An_order_that_makes_no_sense_is_refused(string tenant, string says)
    {
        await using var ring = new Ring();
        var fault = ring.Keys.Create(new() { Tenant = tenant }).Fault;
        Assert.Equal(FaultKind.InvalidInput, fault!.Kind);
        Assert.Contains(says, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', fault.Message);
    }

    [Fact]
    public async Task A_tenant_must_be_one_of_the_configuration()
    {
        await using var ring = new Ring();
        await ring.Keys.DisposeAsync();
        await using var keys = ring.TryOpen("a pepper of more than sixteen bytes", "team-a", "team-b").Value;
        Assert.Contains("did you mean team-a?", keys.Create(new() { Tenant = "taem-a" }).Fault!.Message,
            StringComparison.Ordinal);
        Assert.Null(keys.Create(new() { Tenant = "team-b" }).Fault);
    }

    [Fact]
    public async Task Keys_of_a_tenant_that_is_declared_no_more_are_refused()
    {
        await using var ring = new Ring();
        var stays = ring.Issue(new() { Tenant = "team-b" }).Text;
        var goes = ring.Issue(new() { Tenant = "team-a" }).Text;
        await ring.Keys.DisposeAsync();
        await using var keys = ring.TryOpen("a pepper of more than sixteen bytes", "team-b").Value;

        Assert.Equal("team-b", keys.Identify(stays, out _).Value.Tenant);
        var refused = keys.Identify(goes, out var why).Fault!;
        Assert.Contains("no more among those", refused.Message, StringComparison.Ordinal);
        Assert.Equal(Refusal.Unknown, why);
    }

    [Fact]
    public async Task Another_pepper_is_found_at_the_start()
    {
        await using var ring = new Ring();
        ring.Issue();
        await ring.Keys.DisposeAsync();
        var fault = ring.TryOpen("another pepper, also long enough").Fault;
        Assert.Equal(FaultKind.StoreFailed, fault!.Kind);
        Assert.Contains("another pepper", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3000)]
    public async Task A_damaged_database_is_refused_and_left_as_it_is(int at)
    {
        await using var ring = new Ring();
        for (var i = 0; i < 20; i++)
            ring.Issue();
        await ring.Keys.DisposeAsync();
        var bytes = await File.ReadAllBytesAsync(ring.File);
        for (var i = at; i < at + 4096 && i < bytes.Length; i++)
            bytes[i] = 0x5A;
        await File.WriteAllBytesAsync(ring.File, bytes);
        var fault = ring.TryOpen("a pepper of more than sixteen bytes").Fault;
        Assert.Equal(FaultKind.StoreFailed, fault!.Kind);
        Assert.Contains(ring.File, fault.Message, StringComparison.Ordinal);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(ring.File));
    }

    [Fact]
    public async Task Many_threads_verify_while_keys_change()
    {
        await using var ring = new Ring();
        var steady = ring.Issue();
        var caller = ring.Who(steady.Text);
        await Parallel.ForAsync(0, 200, (i, _) =>
        {
            if (i % 10 == 0)
                ring.Keys.Revoke(ring.Issue().Key.Id);
            for (var n = 0; n < 200; n++)
                Assert.Same(caller, ring.Who(steady.Text));
            return ValueTask.CompletedTask;
        });
        Assert.Equal((1, 0, 20), ring.Keys.Count());
    }
}

using Spillway.Config;
using Spillway.Hosting;
using Spillway.Store.Audit;
using Spillway.Tests.Config;
using Spillway.Tests.Server;

namespace Spillway.Tests.Hosting;

/// <summary>Inputs that a server kept, when nobody may wait for it to come up again.</summary>
public sealed class OfflineAuditTests
{
    private static readonly Dictionary<string, string> s_none = [];

    [Fact]
    public async Task Kept_inputs_are_deleted_beside_a_stopped_server_and_the_log_says_so_and_goes_on()
    {
        using var config = Folder();
        await using (var server = await TestServer.StartAsync(config.PathOf("spillway.yaml")))
        {
            await server.InferRowAsync("kept", id: "private");
            var held = (await RetainAsync(server.Snapshot, days: 3)).Fault;
            Assert.Contains("One server at a time", held!.Message, StringComparison.Ordinal);
        }

        var snapshot = Snapshot.From(config.Load(), number: 1, DateTimeOffset.UnixEpoch);
        var log = AuditFolder.At(snapshot.StateFolder);
        Assert.Empty((await RetainAsync(snapshot, days: 1)).Value);
        Assert.Single(Directory.EnumerateFiles(log.Payloads));
        var deleted = (await RetainAsync(snapshot, days: 4)).Value;
        Assert.Single(deleted);
        Assert.Empty(Directory.EnumerateFiles(log.Payloads));

        var records = new AuditReader(log).From(0).ToList();
        Assert.Equal(2, records.Count(r => r.Action == "audit.retain"));
        Assert.Contains(records, r => r.Action == "payloads.deleted"
            && r.Reason.Contains(deleted[0], StringComparison.Ordinal));
        Assert.Equal("server.stopped", records[^1].Action);
        var (code, output, errors) = await ChildProcess.RunAsync("audit", "verify", snapshot.StateFolder);
        Assert.True(code == 0, output + errors);
        await using var again = await TestServer.StartAsync(config.PathOf("spillway.yaml"));
        Assert.Equal(200, (await again.InferRowAsync("kept")).Status);
    }

    [Fact]
    public async Task The_command_does_it_with_a_configuration_and_says_what_it_did()
    {
        using var config = Folder();
        var (code, _, errors) = await ChildProcess.RunAsync("audit", "retain", "--config", config.Root);
        Assert.Equal(1, code);
        Assert.Contains("holds no audit log yet", errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(config.PathOf("state")));

        await (await TestServer.StartAsync(config.PathOf("spillway.yaml"))).DisposeAsync();
        (code, var output, errors) = await ChildProcess.RunAsync("audit", "retain", "--config", config.Root);
        Assert.True(code == 0, errors);
        Assert.Equal("Nothing was old enough.", output.Trim());
    }

    private static ConfigFolder Folder() => new ConfigFolder()
        .Write("spillway.yaml", "server: { port: 0 }\nmodels: [kept]\naudit: { headMs: 10, payloadDays: 2 }\n")
        .Write("kept/model.yaml", TestServer.Simulated(more: "audit: { payloads: true }"));

    private static Task<Outcome<string[]>> RetainAsync(Snapshot snapshot, int days) =>
        OfflineAudit.RetainAsync(snapshot, s_none, new Later(TimeSpan.FromDays(days)));

    private sealed class Later(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }
}

using System.Text.Json;
using Spillway.Store.Audit;
using Spillway.Tests.Server.Access;
using Spillway.Tests.Support;
using static Spillway.Tests.Server.Reload.ReloadedServer;

namespace Spillway.Tests.Server.Reload;

/// <summary>Who may reload, what is written down of it, the command, and the signal.</summary>
public sealed class ReloadCommandTests
{
    private const string Simulated = "  u: { kind: simulated }\n";

    [Fact]
    public async Task Only_an_operator_reloads()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var (caller, _) = await keyed.KeyAsync("""{"tenant":"acme","roles":["caller"]}""");

        Assert.Equal(403, (await keyed.SendAsync("POST", "/admin/v1/reload", caller)).Status);
        Assert.Equal(401, (await keyed.SendAsync("POST", "/admin/v1/reload", key: null)).Status);
        var reply = await keyed.SendAsync("POST", "/admin/v1/reload", keyed.Operator);
        Assert.True(reply.Status == 200, reply.Text);
    }

    [Fact]
    public async Task The_audit_log_has_who_reloaded_and_what_came_of_it()
    {
        using var folder = new Config.ConfigFolder().Write(
            "spillway.yaml", Yaml(Simulated, Route("chat", "u"), "audit: { headMs: 10 }"));
        await using (var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml")))
        {
            folder.Write("spillway.yaml", Yaml(Simulated, Route("other", "u"), "audit: { headMs: 10 }"));
            Assert.Equal(200, (await PostAsync(server)).Status);
            folder.Write("spillway.yaml", Yaml(Simulated, Route("other", "v"), "audit: { headMs: 10 }"));
            Assert.Equal(400, (await PostAsync(server)).Status);
        }

        var reloads = new AuditReader(AuditFolder.At(folder.PathOf("state"))).From(0).Select(Json)
            .Where(r => Text(r, "action") == "config.reload").ToList();
        Assert.Equal(["ok", "invalid_input"], reloads.Select(r => Text(r, "outcome")));
        Assert.Contains("routes.other", reloads[0].GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_tells_what_changed_what_needs_a_restart_and_every_mistake()
    {
        using var folder = new Config.ConfigFolder().Write("spillway.yaml", Yaml(Simulated, Route("chat", "u")));
        await using var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml"));
        var at = server.Address.ToString();

        folder.Write("spillway.yaml", Yaml(Simulated, Route("other", "u"), server: "drainMs: 77"));
        var (code, output, errors) = await ChildProcess.RunAsync("reload", "--server", at);
        Assert.True(code == 0, output + errors);
        Assert.Matches("(?m)^In force: .*spillway.yaml. Changed:$", output);
        Assert.Contains("\n  routes.chat\n", output, StringComparison.Ordinal);
        Assert.Contains("\nNeeds a restart: server.drainMs\n", output, StringComparison.Ordinal);

        folder.Write("spillway.yaml", Yaml(Simulated, Route("other", "none", "deadlinMs: 1")));
        (code, output, errors) = await ChildProcess.RunAsync("reload", "--server", at);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains("routes.other.deadlinMs = 1", errors, StringComparison.Ordinal);
        Assert.Contains("Did you mean deadlineMs?", errors, StringComparison.Ordinal);
        Assert.Contains("\n2 errors.\nNothing was changed.", errors, StringComparison.Ordinal);
    }

    [NeedsFact(Need.HangUp)]
    public async Task SIGHUP_reloads_a_service_and_does_not_end_it()
    {
        using var folder = new Config.ConfigFolder().Write("spillway.yaml", Yaml(Simulated, Route("chat", "u")));
        await using var child = ChildProcess.Spillway(["up", folder.Root]);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = await ProcessTests.AddressAsync(child), Timeout = TestServer.Patience,
        };
        folder.Write("spillway.yaml", Yaml(Simulated, Route("other", "u")));

        await child.SignalAsync("HUP");

        await TestServer.UntilAsync(async () =>
            (await http.GetStringAsync("/v1/models")).Contains("\"other\"", StringComparison.Ordinal));
        await child.SignalAsync("TERM");
        var (code, output, errors) = await child.EndAsync();
        Assert.True(code == 0, $"{code}: {output}{errors}");
    }

    private static Task<Reply> PostAsync(TestServer server) =>
        server.SendAsync(new(HttpMethod.Post, "/admin/v1/reload"));

    private static JsonElement Json(AuditRecord record)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
            record.WriteJson(json);
        return JsonElement.Parse(buffer.ToArray());
    }

    private static string? Text(JsonElement from, string name) =>
        from.TryGetProperty(name, out var value) ? value.GetString() : null;
}

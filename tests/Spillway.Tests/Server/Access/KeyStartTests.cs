using Spillway.Hosting;
using Spillway.Tests.Engine.Access;

namespace Spillway.Tests.Server.Access;

/// <summary>Starts of a server with keys: what is made, what is missing, what is damaged.</summary>
public sealed class KeyStartTests
{
    [Fact]
    public async Task A_server_without_keys_opens_no_state_folder()
    {
        var folder = TestServer.Folder("", ("echo", TestServer.Simulated()));
        await using var server = await TestServer.StartAsync(folder);
        Assert.Equal(200, (await server.InferRowAsync("echo")).Status);
        (await server.GetAsync("/admin/v1/keys")).Is(501, "unsupported", "access.keys is off");
        Assert.False(Directory.Exists(folder.PathOf("state")));
    }

    [Fact]
    public async Task What_is_made_is_readable_by_the_owner_alone()
    {
        using var folder = KeyedServer.Folder();
        await KeyedServer.OfflineAsync(folder, """{"tenant":"ops"}""");
        if (OperatingSystem.IsWindows())
            return;
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(folder.PathOf("state")) & Others);
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(folder.PathOf("state/pepper")) & Others);
    }

    [Fact]
    public async Task Keys_cannot_be_made_offline_while_the_server_runs()
    {
        await using var server = await KeyedServer.StartAsync();
        var opened = await OfflineKeys.OpenAsync(server.Server.Snapshot, TimeProvider.System);
        Assert.Contains("One server at a time", opened.Fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task A_lost_pepper_is_not_replaced() => RefusesAsync("pepper", null, "is gone");

    [Fact]
    public Task A_short_pepper_is_refused() => RefusesAsync("pepper", "short", "16 or more");

    [Fact]
    public Task Another_pepper_is_refused() => RefusesAsync(
        "pepper", "0123456789abcdef0123456789abcdef", "another pepper");

    [Fact]
    public Task A_database_that_is_none_is_refused() => RefusesAsync("keys.db", new string('x', 8192), "is damaged");

    [Fact]
    public async Task A_pepper_by_reference_is_used_and_none_is_made()
    {
        using var folder = KeyedServer.Folder("{ keys: required, pepper: 'file:secret' }");
        await File.WriteAllTextAsync(folder.PathOf("secret"), "a pepper that lies elsewhere\n");
        var key = await KeyedServer.OfflineAsync(folder, """{"tenant":"ops","roles":["operator"]}""");
        Assert.False(File.Exists(folder.PathOf("state/pepper")));
        await using var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml"));
        var request = new HttpRequestMessage(HttpMethod.Get, "/admin/v1/keys");
        request.Headers.Authorization = new("Bearer", key);
        Assert.Equal(200, (await server.SendAsync(request)).Status);
    }

    [Fact]
    public async Task Metrics_are_open_when_said_so_and_a_listed_page_may_call()
    {
        await using var server = await KeyedServer.StartAsync(KeyedServer.Folder(
            "{ keys: required, metricsOpen: true, origins: ['https://app.example.org'] }"));
        Assert.Equal(200, (await server.GetAsync("/metrics", key: null)).Status);
        var page = ("Origin", "https://app.example.org");
        var asked = await server.GetAsync("/v2/models", server.Operator, page, ("Sec-Fetch-Site", "cross-site"));
        Assert.Equal(200, asked.Status);
        Assert.Equal("https://app.example.org", asked.Header("Access-Control-Allow-Origin"));
        Assert.Equal("Origin", asked.Header("Vary"));
        var before = await server.SendAsync("OPTIONS", "/v2/models/echo/infer", key: null, body: null, page,
            ("Access-Control-Request-Method", "POST"));
        Assert.Equal(204, before.Status);
        Assert.Contains("authorization", before.Header("Access-Control-Allow-Headers"), StringComparison.Ordinal);
        foreach (var other in new[] { "https://app.example.org.evil.org", "https://evil.org", "null",
            "http://app.example.org" })
            (await server.GetAsync("/v2/models", server.Operator, ("Origin", other))).Is(
                403, "forbidden", "access.origins");
        (await server.SendAsync("OPTIONS", "/v2/models", null, null, ("Origin", "https://evil.org"),
            ("Access-Control-Request-Method", "POST"))).Is(403, "forbidden");
        Assert.Equal(5, await server.RefusedAsync("origin"));
    }

    [Fact]
    public async Task A_key_is_revoked_at_once_though_the_disk_takes_nothing()
    {
        var folder = KeyedServer.Folder();
        await using var server = await KeyedServer.StartAsync(folder);
        var (text, id) = await server.KeyAsync("""{"tenant":"team-a"}""");
        Assert.Equal(200, (await server.InferAsync("echo", text)).Status);
        RevocationTests.Break(folder.PathOf("state/keys.db"), "ALTER TABLE keys RENAME TO gone");
        (await server.SendAsync("POST", $"/admin/v1/keys/{id}/revoke", server.Operator)).Is(
            503, "store_failed", "until a restart only");
        Assert.Equal(401, (await server.InferAsync("echo", text)).Status);
        RevocationTests.Break(folder.PathOf("state/keys.db"), "ALTER TABLE gone RENAME TO keys");
        Assert.Equal(200, (await server.SendAsync("POST", $"/admin/v1/keys/{id}/revoke", server.Operator)).Status);
    }

    [Fact]
    public async Task A_listed_page_may_send_what_clients_of_OpenAIs_protocol_send()
    {
        await using var server = await KeyedServer.StartAsync(KeyedServer.Folder(
            "{ keys: required, origins: ['https://app.example.org'] }"));
        (string, string) page = ("Origin", "https://app.example.org"), post = ("Access-Control-Request-Method", "POST");
        string[] sent =
        [
            "api-key", "authorization", "content-type", "idempotency-key", "x-request-timeout-ms",
            "x-spillway-max-cost", "x-spillway-session", "x-stainless-lang", "x-stainless-retry-count",
            "X-Stainless-Timeout", "openai-organization",
        ];
        var reply = await server.SendAsync("OPTIONS", "/v1/chat/completions", null, null, page, post,
            ("Access-Control-Request-Headers", string.Join(", ", sent) + ", x-evil, x-stainless-<b>"));
        Assert.Equal(204, reply.Status);
        var allowed = reply.Header("Access-Control-Allow-Headers")!.Split(", ");
        Assert.All(sent, name => Assert.Contains(name.ToLowerInvariant(), allowed));
        Assert.DoesNotContain(allowed, name => name.Contains("evil", StringComparison.Ordinal)
            || name.Contains('<', StringComparison.Ordinal));
        Assert.Contains("x-should-retry", reply.Header("Access-Control-Expose-Headers"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_listens_on_all_addresses_serves_with_keys()
    {
        await using var server = await KeyedServer.StartAsync(KeyedServer.Folder(
            "{ keys: required, plainText: true }", server: "address: 0.0.0.0"));
        var port = server.Server.Address.Port;
        var answer = await RawConnection.AskAsync(new($"http://127.0.0.1:{port}"),
            $"GET /v2 HTTP/1.1\r\nHost: anything.example\r\nx-api-key: {server.Operator}\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
    }

    private static async Task RefusesAsync(string file, string? content, string says)
    {
        using var folder = KeyedServer.Folder();
        await KeyedServer.OfflineAsync(folder, """{"tenant":"ops"}""");
        var path = folder.PathOf($"state/{file}");
        File.Delete(path);
        if (content is not null)
            await File.WriteAllTextAsync(path, content);
        foreach (var beside in Directory.GetFiles(folder.PathOf("state"), "*-wal").Concat(
            Directory.GetFiles(folder.PathOf("state"), "*-shm")))
            File.Delete(beside);
        var refused = await Assert.ThrowsAsync<SpillwayStartException>(
            () => TestServer.StartAsync(folder.PathOf("spillway.yaml")));
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
    }
}

using Spillway.App.Simulate;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>How upstreams are addressed and what they are asked with.</summary>
public sealed class UpstreamKeyTests
{
    [Fact]
    public async Task Azures_path_version_and_header_are_used_where_they_are_declared()
    {
        await using var upstream = await SimulatedModelServer.StartAsync(ChatServer.Fast);
        var folder = new Config.ConfigFolder().Write("key.txt", "azure-secret\n").Write("spillway.yaml", $$"""
            server: { port: 0 }
            upstreams:
              az:
                kind: azure
                model: simulated
                apiVersion: 2024-10-21
                keyFrom: key.txt
                connectMs: 60000
                firstDeltaMs: 60000
                targets: { t: { url: "{{upstream.Address}}openai/deployments/d" } }
            routes:
              chat: { chain: { steps: [{ model: az }] } }
            """);
        Mine(folder.PathOf("key.txt"));
        await using var server = await TestServer.StartAsync(folder);

        await server.SendAsync(ChatServer.Request("/v1/chat/completions", ChatServer.Body(), []));

        Assert.Equal("/openai/deployments/d/chat/completions?api-version=2024-10-21", upstream.LastPath);
        Assert.Equal("azure-secret", upstream.LastKey);
    }

    [Fact]
    public async Task A_refused_key_gives_its_place_to_the_next_and_no_key_is_ever_told()
    {
        await using var upstream = await SimulatedModelServer.StartAsync(ChatServer.Fast);
        upstream.KeyTaken = "second-secret";
        var folder = new Config.ConfigFolder().Write("a.txt", "first-secret").Write("b.txt", "second-secret")
            .Write("spillway.yaml", $$"""
                server: { port: 0 }
                upstreams:
                  u:
                    kind: openai
                    model: simulated
                    keyFrom: a.txt
                    moreKeysFrom: [b.txt]
                    retry: { attemptsMax: 1 }
                    connectMs: 60000
                    firstDeltaMs: 60000
                    targets: { t: { url: "{{upstream.Address}}v1" } }
                routes:
                  chat: { chain: { steps: [{ model: u }] } }
                """);
        Mine(folder.PathOf("a.txt"));
        Mine(folder.PathOf("b.txt"));
        await using var server = await TestServer.StartAsync(folder);

        for (var i = 0; i < 2; i++)
        {
            var reply = await server.SendAsync(ChatServer.Request("/v1/chat/completions", ChatServer.Body(), []));
            Assert.True(reply.Status == 200, reply.Text);
        }

        // The refused one was not tried again.
        Assert.Equal(3, upstream.Requests);
        upstream.KeyTaken = "third";
        var refused = await server.SendAsync(ChatServer.Request(
            "/v1/chat/completions", ChatServer.Body(), [("X-Request-Id", "refused")]));
        ChatTests.Refused(refused, 502, "server_error", "upstream_failed", "key");
        Assert.DoesNotContain("secret", refused.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", (await server.RecordAsync("refused")).GetRawText(), StringComparison.Ordinal);
    }

    /// <summary>A key's file that others may read is refused.</summary>
    internal static void Mine(string path)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}

using Spillway.Tests.Server.OpenAi;

namespace Spillway.Tests.Server.Access;

/// <summary>What a key that does not see exact numbers may ask a language model.</summary>
public sealed class ChatHardeningTests : IAsyncLifetime
{
    private const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]";

    private KeyedServer _server = null!;

    public async Task InitializeAsync() => _server = await KeyedServer.StartAsync(KeyedServer.Folder(more: """
        upstreams: { u: { kind: simulated, simulated: { firstTokenMs: 0, tokensPerSecond: 100000, answerTokens: 3 } } }
        routes: { chat: { chain: { steps: [{ model: u }] } } }

        """));

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("\"label_only\":true")]
    [InlineData("\"decimals\":2")]
    [InlineData("\"top_k\":1")]
    public async Task Texts_are_answered_and_probabilities_are_not_asked_for(string detail)
    {
        var key = await KeyAsync($",{detail}");
        Assert.Equal(200, (await AskAsync("chat/completions", key, Messages)).Status);
        Assert.Equal(200, (await AskAsync("chat/completions", key, $"{Messages},\"logprobs\":false")).Status);
        Assert.Equal(200, (await AskAsync("completions", key, "\"prompt\":\"Hello\"")).Status);
        foreach (var (path, body) in new[]
        {
            ("chat/completions", $"{Messages},\"logprobs\":true"),
            ("chat/completions", $"{Messages},\"top_logprobs\":5"),
            ("completions", "\"prompt\":\"Hello\",\"logprobs\":0"),
            ("embeddings", "\"input\":\"Hello\""),
            ("moderations", "\"input\":\"Hello\""),
        })
        {
            var reply = await AskAsync(path, key, body);
            Assert.True(reply.Status == 403, $"{path}: {reply.Status} {reply.Text}");
            Assert.Contains("ask the operator for a key", reply.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_key_with_every_right_asks_for_what_it_likes()
    {
        var key = await KeyAsync("");
        Assert.Equal(200, (await AskAsync("chat/completions", key, $"{Messages},\"logprobs\":true")).Status);
        Assert.Equal(200, (await AskAsync("embeddings", key, "\"input\":\"Hello\"")).Status);
    }

    private async Task<string> KeyAsync(string more) =>
        (await _server.KeyAsync($$"""{"tenant":"team-a"{{more}}}""")).Text;

    private Task<Reply> AskAsync(string path, string key, string body) => _server.Server.SendAsync(ChatServer.Request(
        $"/v1/{path}", $$"""{"model":"chat",{{body}}}""", [("Authorization", $"Bearer {key}")]));
}

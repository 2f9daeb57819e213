using Spillway.App.Load;
using Spillway.App.Load.Chat;
using Spillway.Tests.Server.Upstreams;

namespace Spillway.Tests.App.Load.Chat;

/// <summary>A load goes on and is reported, whatever a server writes into its streams.</summary>
public sealed class ChatAskerTests
{
    private const string Text = """{"choices":[{"index":0,"delta":{"content":"a"}}]}""";

    [Theory]
    [InlineData("""{"choices":[],"usage":{"prompt_tokens":7}}""", "ok", 7, 1)]
    [InlineData("""{"choices":[],"usage":{"completion_tokens":5}}""", "ok", 0, 5)]
    [InlineData("""{"choices":[],"usage":{"prompt_tokens":1.5,"completion_tokens":"5"}}""", "ok", 0, 1)]
    [InlineData("""{"choices":[],"usage":[]}""", "ok", 0, 1)]
    [InlineData("""{"choices":null}""", "ok", 0, 1)]
    [InlineData("""{"choices":[null,7,{"delta":null},{"delta":[]}]}""", "ok", 0, 1)]
    [InlineData("""{"error":null}""", "ok", 0, 1)]
    [InlineData("""{"choices":[{"delta":{"role":"assistant","content":"","tool_calls":[]}}]}""", "ok", 0, 1)]
    [InlineData("""{"choices":[{"delta":{"content":"\ud83d"}}]}""", "ok", 0, 2)]
    [InlineData("""{"error":{"message":"x"}}""", "error event", 0, 1)]
    [InlineData("""{"error":"x"}""", "error event", 0, 1)]
    [InlineData("""{"choices":{}}""", "odd event", 0, 1)]
    [InlineData("[]", "odd event", 0, 1)]
    [InlineData("7", "odd event", 0, 1)]
    [InlineData("null", "odd event", 0, 1)]
    [InlineData("<html>", "odd event", 0, 1)]
    public async Task An_event_is_taken_by_what_it_is(string data, string outcome, long prompt, long tokens)
    {
        await using var server = new RogueServer(RogueServer.Text(
            $"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {Text}\n\ndata: {data}\n\n"
            + "data: [DONE]\n\n", closes: true));
        using var asker = new ChatAsker(
            new() { Address = new($"{server.Url}/v1"), Model = "m" }, new LoadClock(TimeProvider.System));

        var sample = await asker.AskAsync(new(DueNs: 0, Prompt: 4, Answer: 4), dueNs: 0, CancellationToken.None);

        Assert.Equal((outcome, prompt, tokens), (sample.Outcome, sample.PromptTokens, sample.Tokens));
        Assert.True(sample.FirstNs >= 0);
    }
}

using System.Text;
using System.Text.Json;
using Spillway.Runtimes.Simulated.Chat;
using Spillway.Tests.Server.OpenAi;

namespace Spillway.Tests.Runtimes.Simulated;

/// <summary>A simulated language model answers what is no request with what is wrong, and never with a bug.</summary>
public sealed class SimulatedChatTests
{
    private static (int Status, JsonElement Body) Ask(string path, string body, string? model = null)
    {
        var reply = new SimulatedChat(ChatServer.Fast, TimeProvider.System)
            .Answer(path, Encoding.UTF8.GetBytes(body), model);
        return (reply.Status, JsonElement.Parse(reply.Pieces[0].Bytes.Span));
    }

    [Theory]
    [InlineData("embeddings", """{"model":"m","input":"x","dimensions":1.5}""", "dimensions")]
    [InlineData("embeddings", """{"model":"m","input":"x","dimensions":99999999999}""", "dimensions")]
    [InlineData("embeddings", """{"model":"m","input":"x","dimensions":0}""", "dimensions")]
    [InlineData("chat/completions", """{"model":"m","messages":[],"n":-1}""", "n")]
    [InlineData("chat/completions", """{"model":"m","messages":[],"n":1000000000}""", "n")]
    [InlineData("chat/completions", """{"model":"m","messages":[],"max_tokens":-5}""", "max_tokens")]
    [InlineData("chat/completions", """{"model":"m","messages":7,"tools":[{}]}""", "")]
    [InlineData("chat/completions", """{"model":"m","messages":[7],"tools":[7]}""", "")]
    [InlineData("chat/completions", """{"model":"\ud83d"}""", "")]
    [InlineData("chat/completions", "[]", "")]
    [InlineData("chat/completions", "{", "")]
    public void What_is_no_request_is_a_400_that_says_what_is_wrong(string path, string body, string says)
    {
        var (status, answer) = Ask($"/v1/{path}", body);

        Assert.Equal(400, status);
        Assert.Contains(
            says, answer.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void More_inputs_than_are_taken_are_refused_before_anything_is_made_of_them()
    {
        var inputs = string.Join(',', Enumerable.Repeat("\"x\"", 3000));

        Assert.Equal(400, Ask("/v1/embeddings", $$"""{"model":"m","input":[{{inputs}}],"dimensions":4096}""").Status);
    }

    [Fact]
    public async Task A_misbehaviour_that_is_asked_for_by_header_needs_a_request_too()
    {
        await using var server = await Spillway.App.Simulate.SimulatedModelServer.StartAsync(ChatServer.Fast);
        using var http = new HttpClient { BaseAddress = server.Address };
        async Task<int> AskAsync(string body)
        {
            using var answer = await http.SendAsync(
                ChatServer.Request("/v1/chat/completions", body, [("X-Simulate", "throttle")]));
            return (int)answer.StatusCode;
        }

        Assert.Equal(400, await AskAsync("{\"model\""));
        Assert.Equal(400, await AskAsync("null"));
        Assert.Equal(429, await AskAsync("""{"model":"m","messages":[],"model":"n"}"""));
    }
}

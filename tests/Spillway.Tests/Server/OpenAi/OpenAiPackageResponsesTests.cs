using System.ClientModel;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using OpenAI;
using OpenAI.Responses;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>The Responses API as OpenAI's own client for .NET uses it, which marks its types as experimental.</summary>
[Experimental("OPENAI001")]
public sealed class OpenAiPackageResponsesTests
{
    private static ResponsesClient Client(ChatServer chat) => new OpenAIClient(
        new ApiKeyCredential("any"), new OpenAIClientOptions { Endpoint = new($"{chat.Server.Address}v1") })
        .GetResponsesClient();

    private static CreateResponseOptions Asks(bool isStream = false)
    {
        var options = new CreateResponseOptions
        {
            Model = "chat", Instructions = "Be brief.", Temperature = 0.5f, MaxOutputTokenCount = 100,
            StreamingEnabled = isStream,
        };
        options.InputItems.Add(ResponseItem.CreateUserMessageItem("Hello"));
        return options;
    }

    [Fact]
    public async Task A_response_is_answered_and_says_what_was_asked()
    {
        await using var chat = await ChatServer.StartAsync();

        ResponseResult answer = await Client(chat).CreateResponseAsync(Asks());

        Assert.Equal("This answer is simulated: no", answer.GetOutputText());
        Assert.Equal((0.5f, 100), (answer.Temperature!.Value, answer.MaxOutputTokenCount!.Value));
        Assert.Equal((ResponseStatus.Completed, 6), (answer.Status!.Value, answer.Usage.OutputTokenCount));
    }

    [Fact]
    public async Task A_function_is_called_and_told_with_the_response()
    {
        await using var chat = await ChatServer.StartAsync();
        var options = Asks();
        options.Tools.Add(ResponseTool.CreateFunctionTool(
            "look", BinaryData.FromString("""{"type":"object","properties":{}}"""), strictModeEnabled: false));

        ResponseResult answer = await Client(chat).CreateResponseAsync(options);

        var call = Assert.IsAssignableFrom<FunctionCallResponseItem>(Assert.Single(answer.OutputItems));
        Assert.Equal("look", call.FunctionName);
        Assert.Equal("look", Assert.IsAssignableFrom<FunctionTool>(Assert.Single(answer.Tools)).FunctionName);
    }

    [Fact]
    public async Task A_stream_of_a_response_comes_in_pieces_and_is_completed()
    {
        await using var chat = await ChatServer.StartAsync();
        var (text, whole) = (new StringBuilder(), default(ResponseResult));

        await using var updates = await Client(chat).CreateResponseStreamingAsync(Asks(isStream: true));
        await foreach (var update in updates)
        {
            if (update is StreamingResponseOutputTextDeltaUpdate piece)
                text.Append(piece.Delta);
            if (update is StreamingResponseCompletedUpdate completed)
                whole = completed.Response;
        }

        Assert.Equal("This answer is simulated: no", text.ToString());
        Assert.Equal((text.ToString(), 0.5f), (whole!.GetOutputText(), whole.Temperature!.Value));
    }
}

using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Spillway.Client;

namespace Spillway.Extensions.AI;

/// <summary>Answers of OpenAI's chat completions, whole or event by event. One owner.</summary>
internal sealed class ChatReading
{
    private readonly SortedDictionary<int, (string Id, string Name, StringBuilder Arguments)> _calls = [];
    private string? _id;
    private string? _model;

    /// <summary>A whole answer.</summary>
    public static ChatResponse Whole(JsonElement json)
    {
        var choice = First(json) ?? throw new InferenceException(
            new(FaultKind.UpstreamFailed, "The answer has no choices."));
        List<AIContent> contents = [];
        if (choice.TryGetProperty("message", out var message))
        {
            Texts(message, contents);
            if (Of(message, "tool_calls") is { ValueKind: JsonValueKind.Array } calls)
            {
                foreach (var call in calls.EnumerateArray())
                    contents.Add(Call(Text(call, "id"), Text(Of(call, "function"), "name"),
                        Text(Of(call, "function"), "arguments")));
            }
        }

        var said = new ChatMessage(ChatRole.Assistant, contents)
        {
            MessageId = Text(json, "id"), RawRepresentation = json,
        };
        return new(said)
        {
            ResponseId = Text(json, "id"), ModelId = Text(json, "model"), FinishReason = Reason(choice),
            Usage = Usage(json), CreatedAt = Created(json), RawRepresentation = json,
        };
    }

    /// <summary>One event; null when it says nothing.</summary>
    public ChatResponseUpdate? Update(JsonElement json)
    {
        List<AIContent> contents = [];
        _id ??= Text(json, "id") is { Length: > 0 } id ? id : null;
        _model ??= Text(json, "model");
        var reason = default(ChatFinishReason?);
        if (First(json) is { } choice)
        {
            if (choice.TryGetProperty("delta", out var delta))
            {
                Texts(delta, contents);
                Gather(delta);
            }

            reason = Reason(choice);
            if (reason is not null)
                contents.AddRange(Calls());
        }

        if (Usage(json) is { } usage)
            contents.Add(new UsageContent(usage));
        return contents.Count == 0 && reason is null ? null : Make(json, contents, reason);
    }

    /// <summary>Calls of a stream that gave no reason for its end; null where there are none.</summary>
    public ChatResponseUpdate? Rest() => _calls.Count == 0 ? null : Make(default, [.. Calls()], null);

    /// <summary>A stream that broke off, in the server's words.</summary>
    public static InferenceException Broken(JsonElement error)
    {
        var message = Text(error, "message");
        return new(new(Text(error, "code") == "content_filter" ? FaultKind.AnswerUnfit : FaultKind.UpstreamFailed,
            message.Length > 0 ? message : "The stream broke off."));
    }

    private ChatResponseUpdate Make(JsonElement json, List<AIContent> contents, ChatFinishReason? reason) =>
        new(ChatRole.Assistant, contents)
        {
            ResponseId = _id, MessageId = _id, ModelId = _model, FinishReason = reason, CreatedAt = Created(json),
            RawRepresentation = json.ValueKind is JsonValueKind.Object ? json : null,
        };

    /// <summary>The pieces of calls; they are given when they are whole.</summary>
    private void Gather(JsonElement delta)
    {
        if (Of(delta, "tool_calls") is not { ValueKind: JsonValueKind.Array } calls)
            return;
        foreach (var call in calls.EnumerateArray())
        {
            var index = (int)Math.Clamp(Count(call, "index") ?? 0, 0, int.MaxValue);
            if (!_calls.TryGetValue(index, out var known))
                known = ("", "", new());
            var function = Of(call, "function");
            known.Arguments.Append(Text(function, "arguments"));
            _calls[index] = (known.Id.Length > 0 ? known.Id : Text(call, "id"), known.Name + Text(function, "name"),
                known.Arguments);
        }
    }

    private List<AIContent> Calls()
    {
        List<AIContent> calls = [.. _calls.Values.Select(c => Call(c.Id, c.Name, c.Arguments.ToString()))];
        _calls.Clear();
        return calls;
    }

    /// <summary>Arguments that are no JSON are told as such by the content itself.</summary>
    private static FunctionCallContent Call(string id, string name, string arguments) =>
        FunctionCallContent.CreateFromParsedArguments(
            arguments.Length > 0 ? arguments : "{}", id, name,
            static text =>
                JsonSerializer.Deserialize<Dictionary<string, object?>>(text, AIJsonUtilities.DefaultOptions)!);

    private static void Texts(JsonElement said, List<AIContent> contents)
    {
        var thought = Text(said, "reasoning_content") is { Length: > 0 } own ? own : Text(said, "reasoning");
        if (thought.Length > 0)
            contents.Add(new TextReasoningContent(thought));
        if (Text(said, "content") is { Length: > 0 } text)
            contents.Add(new TextContent(text));
        if (Text(said, "refusal") is { Length: > 0 } refusal)
            contents.Add(new ErrorContent(refusal) { ErrorCode = "refusal" });
    }

    private static UsageDetails? Usage(JsonElement json)
    {
        if (Of(json, "usage") is not { ValueKind: JsonValueKind.Object } usage)
            return null;
        var (input, output) = (Count(usage, "prompt_tokens"), Count(usage, "completion_tokens"));
        return new()
        {
            InputTokenCount = input, OutputTokenCount = output,
            TotalTokenCount = Count(usage, "total_tokens") ?? (input + output),
            CachedInputTokenCount = Count(Of(usage, "prompt_tokens_details"), "cached_tokens"),
            ReasoningTokenCount = Count(Of(usage, "completion_tokens_details"), "reasoning_tokens"),
        };
    }

    private static ChatFinishReason? Reason(JsonElement choice) => Text(choice, "finish_reason") switch
    {
        "" => null,
        "function_call" => ChatFinishReason.ToolCalls,
        var reason => new ChatFinishReason(reason),
    };

    private static DateTimeOffset? Created(JsonElement json) =>
        Count(json, "created") is { } seconds and >= 0 and < 253402300800L
            ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    private static JsonElement? First(JsonElement json)
    {
        if (Of(json, "choices") is not { ValueKind: JsonValueKind.Array } choices)
            return null;
        foreach (var choice in choices.EnumerateArray())
            return choice;
        return null;
    }

    private static JsonElement Of(JsonElement json, string name) =>
        json.ValueKind is JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value : default;

    private static string Text(JsonElement json, string name) =>
        Of(json, name) is { ValueKind: JsonValueKind.String } text ? AnswerText.Of(text) : "";

    private static long? Count(JsonElement json, string name) =>
        Of(json, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var count)
            ? count : null;
}

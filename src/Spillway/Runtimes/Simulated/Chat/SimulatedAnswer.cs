using System.Buffers;
using System.Text.Json;

namespace Spillway.Runtimes.Simulated.Chat;

/// <summary>The JSON of one simulated answer, whole or in events.</summary>
internal sealed class SimulatedAnswer
{
    /// <summary>What was asked.</summary>
    public required SimulatedAsk Ask { get; init; }

    /// <summary>A chat, or else a plain completion.</summary>
    public required bool IsChat { get; init; }

    /// <summary>Whether it tells its tokens.</summary>
    public required bool HasUsage { get; init; }

    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public required long Created { get; init; }

    /// <summary>Its tokens.</summary>
    public required IReadOnlyList<string> Words { get; init; }

    /// <summary>Why it ends.</summary>
    public required string FinishReason { get; init; }

    private bool CallsTool => Ask.ToolName.Length > 0;

    /// <summary>The whole answer.</summary>
    public byte[] Whole()
    {
        var text = string.Concat(Words);
        return Write(json =>
        {
            json.WriteStartObject();
            Head(json, IsChat ? "chat.completion" : "text_completion");
            json.WriteStartArray("choices");
            for (var i = 0; i < Ask.Choices; i++)
            {
                json.WriteStartObject();
                json.WriteNumber("index", i);
                if (IsChat)
                    Message(json, text);
                else
                    json.WriteString("text", text);
                json.WriteNull("logprobs");
                json.WriteString("finish_reason", FinishReason);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            if (HasUsage)
                Usage(json);
            json.WriteEndObject();
        });
    }

    /// <summary>The events before the first token.</summary>
    public byte[] Begin() => IsChat
        ? Each(json => Delta(json, d =>
        {
            d.WriteString("role", "assistant");
            if (CallsTool)
                Call(d, first: true, "");
            else
                d.WriteString("content", "");
        }))
        : [];

    /// <summary>The events of one token.</summary>
    public byte[] Word(int index) => Piece(Words[index]);

    /// <summary>The events of one text.</summary>
    public byte[] Piece(string text) => Each(json =>
    {
        if (!IsChat)
            json.WriteString("text", text);
        else if (CallsTool)
            Delta(json, d => Call(d, first: false, text));
        else
            Delta(json, d => d.WriteString("content", text));
    });

    /// <summary>The events behind the last token.</summary>
    public byte[] End()
    {
        var last = Each(json =>
        {
            if (IsChat)
                Delta(json, static _ => { });
            else
                json.WriteString("text", "");
        }, FinishReason);
        var usage = HasUsage && Ask.WantsUsage ? Event(json =>
        {
            json.WriteStartArray("choices");
            json.WriteEndArray();
            Usage(json);
        }) : [];
        return [.. last, .. usage, .. "data: [DONE]\n\n"u8];
    }

    private void Message(Utf8JsonWriter json, string text)
    {
        json.WriteStartObject("message");
        json.WriteString("role", "assistant");
        if (CallsTool)
        {
            json.WriteNull("content");
            Call(json, first: true, text);
        }
        else
            json.WriteString("content", text);
        json.WriteNull("refusal");
        json.WriteEndObject();
    }

    private void Call(Utf8JsonWriter json, bool first, string arguments)
    {
        json.WriteStartArray("tool_calls");
        json.WriteStartObject();
        json.WriteNumber("index", 0);
        if (first)
        {
            json.WriteString("id", "call_" + Id);
            json.WriteString("type", "function");
        }

        json.WriteStartObject("function");
        if (first)
            json.WriteString("name", Ask.ToolName);
        json.WriteString("arguments", arguments);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void Delta(Utf8JsonWriter json, Action<Utf8JsonWriter> of)
    {
        json.WriteStartObject("delta");
        of(json);
        json.WriteEndObject();
    }

    /// <summary>An event for each choice.</summary>
    private byte[] Each(Action<Utf8JsonWriter> of, string? finish = null) =>
        [.. Enumerable.Range(0, Ask.Choices).SelectMany(i => Event(json =>
        {
            json.WriteStartArray("choices");
            json.WriteStartObject();
            json.WriteNumber("index", i);
            of(json);
            json.WriteNull("logprobs");
            json.WriteString("finish_reason", finish);
            json.WriteEndObject();
            json.WriteEndArray();
            if (HasUsage && Ask.WantsUsage)
                json.WriteNull("usage");
        }))];

    private byte[] Event(Action<Utf8JsonWriter> of)
    {
        var body = Write(json =>
        {
            json.WriteStartObject();
            Head(json, IsChat ? "chat.completion.chunk" : "text_completion");
            of(json);
            json.WriteEndObject();
        });
        return [.. "data: "u8, .. body, .. "\n\n"u8];
    }

    private void Head(Utf8JsonWriter json, string kind)
    {
        json.WriteString("id", Id);
        json.WriteString("object", kind);
        json.WriteNumber("created", Created);
        json.WriteString("model", Ask.Model);
        json.WriteString("system_fingerprint", "simulated");
    }

    private void Usage(Utf8JsonWriter json)
    {
        var output = (long)Words.Count * Ask.Choices;
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", Ask.PromptTokens);
        json.WriteNumber("completion_tokens", output);
        json.WriteNumber("total_tokens", Ask.PromptTokens + output);
        json.WriteStartObject("prompt_tokens_details");
        json.WriteNumber("cached_tokens", 0);
        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details");
        json.WriteNumber("reasoning_tokens", 0);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static byte[] Write(Action<Utf8JsonWriter> of)
    {
        var into = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(into, SimulatedBodies.Plain))
            of(json);
        return into.WrittenSpan.ToArray();
    }
}

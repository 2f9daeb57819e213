using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Spillway.Extensions.AI;

/// <summary>A conversation as a body of OpenAI's chat completions.</summary>
internal static class ChatBody
{
    private static readonly JsonWriterOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes it.</summary>
    /// <param name="messages">What was said so far.</param>
    /// <param name="options">The caller's; null for none.</param>
    /// <param name="route">The model where the options name none.</param>
    /// <param name="isStream">Whether the answer is to be a stream; its usage is asked for then.</param>
    public static byte[] Write(IEnumerable<ChatMessage> messages, ChatOptions? options, string route, bool isStream)
    {
        var into = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(into, s_plain))
        {
            json.WriteStartObject();
            json.WriteString("model", options?.ModelId ?? route);
            json.WriteStartArray("messages");
            if (options?.Instructions is { Length: > 0 } instructions)
                MessageBody.Text(json, "system", instructions);
            foreach (var message in messages)
                MessageBody.Write(json, message);
            json.WriteEndArray();
            if (isStream)
            {
                json.WriteBoolean("stream", value: true);
                json.WriteStartObject("stream_options");
                json.WriteBoolean("include_usage", value: true);
                json.WriteEndObject();
            }

            if (options is not null)
                Options(json, options);
            json.WriteEndObject();
        }

        return into.WrittenSpan.ToArray();
    }

    private static void Options(Utf8JsonWriter json, ChatOptions options)
    {
        Number(json, "max_completion_tokens", options.MaxOutputTokens);
        Number(json, "temperature", options.Temperature);
        Number(json, "top_p", options.TopP);
        Number(json, "top_k", options.TopK);
        Number(json, "frequency_penalty", options.FrequencyPenalty);
        Number(json, "presence_penalty", options.PresencePenalty);
        if (options.Seed is { } seed)
            json.WriteNumber("seed", seed);
        if (options.StopSequences is { Count: > 0 } stops)
        {
            json.WriteStartArray("stop");
            foreach (var stop in stops)
                json.WriteStringValue(stop);
            json.WriteEndArray();
        }

        Format(json, options.ResponseFormat);
        Tools(json, options);
        // Whatever else the upstream takes.
        foreach (var (name, value) in options.AdditionalProperties ?? [])
        {
            json.WritePropertyName(name);
            JsonSerializer.Serialize(json, value, PlainJson.Options);
        }
    }

    private static void Format(Utf8JsonWriter json, ChatResponseFormat? format)
    {
        if (format is not ChatResponseFormatJson form)
            return;
        json.WriteStartObject("response_format");
        json.WriteString("type", form.Schema is null ? "json_object" : "json_schema");
        if (form.Schema is { } schema)
        {
            json.WriteStartObject("json_schema");
            json.WriteString("name", form.SchemaName ?? "answer");
            if (form.SchemaDescription is { } description)
                json.WriteString("description", description);
            json.WritePropertyName("schema");
            schema.WriteTo(json);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void Tools(Utf8JsonWriter json, ChatOptions options)
    {
        if (options.Tools is not { Count: > 0 } given)
            return;
        var tools = given.Select(tool => tool as AIFunctionDeclaration ?? throw new NotSupportedException(
            $"A tool of type {tool.GetType().Name} ('{tool.Name}') cannot be sent in a chat; functions can.")).ToList();
        json.WriteStartArray("tools");
        foreach (var tool in tools)
        {
            json.WriteStartObject();
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", tool.Name);
            json.WriteString("description", tool.Description);
            json.WritePropertyName("parameters");
            tool.JsonSchema.WriteTo(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (options.AllowMultipleToolCalls is { } several)
            json.WriteBoolean("parallel_tool_calls", several);
        Choice(json, options.ToolMode);
    }

    private static void Choice(Utf8JsonWriter json, ChatToolMode? mode)
    {
        if (mode is RequiredChatToolMode { RequiredFunctionName: { } name })
        {
            json.WriteStartObject("tool_choice");
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", name);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        else if (mode is not null)
            json.WriteString("tool_choice", mode is NoneChatToolMode ? "none"
                : mode is RequiredChatToolMode ? "required" : "auto");
    }

    private static void Number(Utf8JsonWriter json, string name, float? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
    }

    private static void Number(Utf8JsonWriter json, string name, int? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
    }
}

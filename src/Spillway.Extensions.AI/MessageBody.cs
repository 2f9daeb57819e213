using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Spillway.Extensions.AI;

/// <summary>One message of a conversation. The results of several calls are a message each.</summary>
internal static class MessageBody
{
    /// <summary>Writes it; throws for what a chat cannot hold.</summary>
    public static void Write(Utf8JsonWriter json, ChatMessage message)
    {
        foreach (var content in message.Contents)
            Check(content);
        foreach (var result in message.Contents.OfType<FunctionResultContent>())
            Result(json, result);
        var calls = message.Contents.OfType<FunctionCallContent>().ToList();
        var parts = message.Contents.Where(c => c is TextContent or DataContent or UriContent).ToList();
        if (calls.Count == 0 && parts.Count == 0 && message.Contents.Count > 0)
            return;
        json.WriteStartObject();
        json.WriteString("role", message.Role.Value);
        if (message.AuthorName is { Length: > 0 } name)
            json.WriteString("name", name);
        Content(json, parts, calls.Count > 0);
        if (calls.Count > 0)
            Calls(json, calls);
        json.WriteEndObject();
    }

    /// <summary>A message that is a text and nothing else.</summary>
    public static void Text(Utf8JsonWriter json, string role, string text)
    {
        json.WriteStartObject();
        json.WriteString("role", role);
        json.WriteString("content", text);
        json.WriteEndObject();
    }

    /// <summary>What an answer says of itself stays away when it is sent back: its thoughts, its usage, why there was
    /// none. Anything else that has no place in a chat would be missed.</summary>
    private static void Check(AIContent content)
    {
        if (content is TextContent or DataContent or UriContent or FunctionCallContent or FunctionResultContent
            or TextReasoningContent or UsageContent or ErrorContent)
            return;
        throw new NotSupportedException($"Content of type {content.GetType().Name} cannot be sent in a chat; texts, "
            + "pictures, calls of functions and their results can.");
    }

    private static void Result(Utf8JsonWriter json, FunctionResultContent result)
    {
        json.WriteStartObject();
        json.WriteString("role", "tool");
        json.WriteString("tool_call_id", result.CallId);
        var text = result.Result as string ?? (result.Result is JsonElement { ValueKind: JsonValueKind.String } said
            ? said.GetString() : JsonSerializer.Serialize(result.Result, PlainJson.Options));
        json.WriteString("content", text);
        json.WriteEndObject();
    }

    private static void Content(Utf8JsonWriter json, List<AIContent> parts, bool hasCalls)
    {
        if (parts.Count == 0 && hasCalls)
            json.WriteNull("content");
        else if (parts.TrueForAll(p => p is TextContent))
            json.WriteString("content", string.Concat(parts.Cast<TextContent>().Select(t => t.Text)));
        else
        {
            json.WriteStartArray("content");
            foreach (var part in parts)
                Part(json, part);
            json.WriteEndArray();
        }
    }

    private static void Part(Utf8JsonWriter json, AIContent part)
    {
        json.WriteStartObject();
        if (part is TextContent text)
        {
            json.WriteString("type", "text");
            json.WriteString("text", text.Text);
        }
        else
        {
            var (address, type) = part is DataContent data ? (data.Uri, data.MediaType)
                : (((UriContent)part).Uri.ToString(), ((UriContent)part).MediaType);
            if (!type.StartsWith("image/", StringComparison.Ordinal))
                throw new NotSupportedException($"Content of {type} cannot be sent in a chat; texts and pictures can.");
            json.WriteString("type", "image_url");
            json.WriteStartObject("image_url");
            json.WriteString("url", address);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void Calls(Utf8JsonWriter json, List<FunctionCallContent> calls)
    {
        json.WriteStartArray("tool_calls");
        foreach (var call in calls)
        {
            json.WriteStartObject();
            json.WriteString("id", call.CallId);
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", call.Name);
            json.WriteString("arguments", JsonSerializer.Serialize(call.Arguments, PlainJson.Options));
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}

using System.Buffers;
using System.Text.Json;

namespace Spillway.Protocols.OpenAi.Responses;

/// <summary>
/// A request of the Responses API as a chat that asks the same: texts, pictures, calls of functions and their results.
/// What both APIs call alike is copied; what needs a store of answers is refused, for none is kept.
/// </summary>
internal static class ResponsesRequest
{
    // Named otherwise in a chat, or without a meaning there.
    private static readonly HashSet<string> s_own =
    [
        "input", "instructions", "tools", "tool_choice", "text", "max_output_tokens", "store", "include", "truncation",
        "reasoning", "background", "prompt", "previous_response_id", "conversation", "max_tool_calls", "messages",
        "stream_options",
    ];

    /// <summary>The chat's body; or what cannot be asked so.</summary>
    /// <param name="body">The request.</param>
    /// <param name="echo">What the response tells of it.</param>
    public static Outcome<byte[]> ToChat(ReadOnlyMemory<byte> body, out ResponseEcho? echo)
    {
        echo = null;
        try
        {
            using var document = JsonDocument.Parse(body, new() { MaxDepth = 128 });
            var root = document.RootElement;
            if (root.ValueKind is not JsonValueKind.Object)
                return Fault.Invalid("The request body is not a JSON object.");
            if (Refused(root) is { } fault)
                return fault;
            var into = new ArrayBufferWriter<byte>(body.Length + 256);
            using (var json = new Utf8JsonWriter(into))
            {
                if (Write(json, root) is { } wrong)
                    return wrong;
            }

            echo = new(root);
            return into.WrittenSpan.ToArray();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return Fault.Invalid($"The request body is not as the Responses API has it: {e.Message}");
        }
    }

    private static Fault? Refused(JsonElement root)
    {
        foreach (var name in (string[])["previous_response_id", "conversation", "prompt"])
        {
            if (root.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.Null)
                return new(FaultKind.Unsupported, $"The field {name} refers to something stored; this server keeps no "
                    + "answers. Send the whole conversation in input.");
        }

        if (root.TryGetProperty("n", out var count) && count.ValueKind is not JsonValueKind.Null
            && !(count.ValueKind is JsonValueKind.Number && count.TryGetInt32(out var one) && one == 1))
            return new(FaultKind.Unsupported, "A response is one answer: leave n out, or send several requests.");
        return root.TryGetProperty("background", out var background) && background.ValueKind is JsonValueKind.True
            ? new(FaultKind.Unsupported, "Answers in the background are not offered: leave background out.") : null;
    }

    private static Fault? Write(Utf8JsonWriter json, JsonElement root)
    {
        json.WriteStartObject();
        foreach (var member in root.EnumerateObject())
        {
            if (!s_own.Contains(member.Name))
                member.WriteTo(json);
        }

        if (root.TryGetProperty("max_output_tokens", out var most) && most.ValueKind is not JsonValueKind.Null)
            Copy(json, "max_completion_tokens", most);
        if (root.TryGetProperty("reasoning", out var reasoning) && reasoning.ValueKind is JsonValueKind.Object
            && reasoning.TryGetProperty("effort", out var effort))
            Copy(json, "reasoning_effort", effort);
        Format(json, root);
        if (Tools(json, root) is { } tools)
            return tools;
        if (Messages(json, root) is { } messages)
            return messages;
        json.WriteEndObject();
        return null;
    }

    private static void Copy(Utf8JsonWriter json, string name, JsonElement value)
    {
        json.WritePropertyName(name);
        value.WriteTo(json);
    }

    /// <summary>A schema's members lie one level deeper in a chat.</summary>
    private static void Format(Utf8JsonWriter json, JsonElement root)
    {
        if (!root.TryGetProperty("text", out var text) || text.ValueKind is not JsonValueKind.Object
            || !text.TryGetProperty("format", out var format) || format.ValueKind is not JsonValueKind.Object)
            return;
        if (format.GetProperty("type").GetString() != "json_schema")
        {
            Copy(json, "response_format", format);
            return;
        }

        json.WriteStartObject("response_format");
        json.WriteString("type", "json_schema");
        json.WriteStartObject("json_schema");
        foreach (var member in format.EnumerateObject().Where(m => m.Name != "type"))
            member.WriteTo(json);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static Fault? Tools(Utf8JsonWriter json, JsonElement root)
    {
        if (root.TryGetProperty("tools", out var tools) && tools.ValueKind is JsonValueKind.Array
            && tools.GetArrayLength() > 0)
        {
            json.WriteStartArray("tools");
            foreach (var tool in tools.EnumerateArray())
            {
                if (tool.GetProperty("type").GetString() is var type && type != "function")
                    return new(FaultKind.Unsupported,
                        $"A tool of type {type} runs at OpenAI only; functions are passed on.");
                json.WriteStartObject();
                json.WriteString("type", "function");
                json.WriteStartObject("function");
                foreach (var member in tool.EnumerateObject().Where(m => m.Name != "type"))
                    member.WriteTo(json);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (!root.TryGetProperty("tool_choice", out var choice) || choice.ValueKind is JsonValueKind.Null)
            return null;
        if (choice.ValueKind is not JsonValueKind.Object)
        {
            Copy(json, "tool_choice", choice);
            return null;
        }

        json.WriteStartObject("tool_choice");
        json.WriteString("type", "function");
        json.WriteStartObject("function");
        json.WriteString("name", choice.GetProperty("name").GetString());
        json.WriteEndObject();
        json.WriteEndObject();
        return null;
    }

    private static Fault? Messages(Utf8JsonWriter json, JsonElement root)
    {
        json.WriteStartArray("messages");
        if (root.TryGetProperty("instructions", out var say) && say.ValueKind is JsonValueKind.String)
            Text(json, "system", say.GetString()!);
        if (!root.TryGetProperty("input", out var input))
            return Fault.Invalid("The field input is missing.");
        if (input.ValueKind is JsonValueKind.String)
            Text(json, "user", input.GetString()!);
        else
        {
            var isCalling = false;
            foreach (var item in input.EnumerateArray())
            {
                if (Item(json, item, ref isCalling) is { } wrong)
                    return wrong;
            }

            EndCalls(json, ref isCalling);
        }

        json.WriteEndArray();
        return null;
    }

    /// <summary>Calls that stand side by side are one message of a chat: their results follow it.</summary>
    private static void EndCalls(Utf8JsonWriter json, ref bool isCalling)
    {
        if (!isCalling)
            return;
        isCalling = false;
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static Fault? Item(Utf8JsonWriter json, JsonElement item, ref bool isCalling)
    {
        var type = item.TryGetProperty("type", out var named) ? named.GetString() : "message";
        if (type is "message" or "function_call_output")
            EndCalls(json, ref isCalling);
        switch (type)
        {
            case "message":
                json.WriteStartObject();
                json.WriteString("role", item.GetProperty("role").GetString());
                Content(json, item.GetProperty("content"));
                json.WriteEndObject();
                return null;
            case "function_call":
                Call(json, item, isFirst: !isCalling);
                isCalling = true;
                return null;
            case "function_call_output":
                json.WriteStartObject();
                json.WriteString("role", "tool");
                json.WriteString("tool_call_id", item.GetProperty("call_id").GetString());
                var output = item.GetProperty("output");
                json.WriteString("content", output.ValueKind is JsonValueKind.String ? output.GetString()
                    : output.GetRawText());
                json.WriteEndObject();
                return null;
            case "reasoning":
                // What a model thought before is its own server's to keep.
                return null;
            default:
                return new(FaultKind.Unsupported, $"An input item of type {type} is not passed on: send messages, "
                    + "function_call and function_call_output.");
        }
    }

    private static void Call(Utf8JsonWriter json, JsonElement item, bool isFirst)
    {
        if (isFirst)
        {
            json.WriteStartObject();
            json.WriteString("role", "assistant");
            json.WriteNull("content");
            json.WriteStartArray("tool_calls");
        }

        json.WriteStartObject();
        json.WriteString("id", item.GetProperty("call_id").GetString());
        json.WriteString("type", "function");
        json.WriteStartObject("function");
        json.WriteString("name", item.GetProperty("name").GetString());
        json.WriteString("arguments", item.GetProperty("arguments").GetString());
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Content(Utf8JsonWriter json, JsonElement content)
    {
        if (content.ValueKind is JsonValueKind.String)
        {
            json.WriteString("content", content.GetString());
            return;
        }

        json.WriteStartArray("content");
        foreach (var part in content.EnumerateArray())
        {
            json.WriteStartObject();
            Part(json, part);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Part(Utf8JsonWriter json, JsonElement part)
    {
        switch (part.GetProperty("type").GetString())
        {
            case "input_image":
                json.WriteString("type", "image_url");
                json.WriteStartObject("image_url");
                json.WriteString("url", part.GetProperty("image_url").GetString());
                if (part.TryGetProperty("detail", out var detail) && detail.ValueKind is JsonValueKind.String)
                    json.WriteString("detail", detail.GetString());
                json.WriteEndObject();
                break;
            case "refusal":
                json.WriteString("type", "refusal");
                json.WriteString("refusal", part.GetProperty("refusal").GetString());
                break;
            default:
                json.WriteString("type", "text");
                json.WriteString("text", part.GetProperty("text").GetString());
                break;
        }
    }

    private static void Text(Utf8JsonWriter json, string role, string text)
    {
        json.WriteStartObject();
        json.WriteString("role", role);
        json.WriteString("content", text);
        json.WriteEndObject();
    }
}

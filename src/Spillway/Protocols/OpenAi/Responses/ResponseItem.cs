using System.Text;
using System.Text.Json;

namespace Spillway.Protocols.OpenAi.Responses;

/// <summary>One item of a response's output as it grows: a message, or a call of a function.</summary>
/// <param name="id">Its own id.</param>
/// <param name="index">Its place in the output.</param>
internal sealed class ResponseItem(string id, int index)
{
    /// <summary>Its own id.</summary>
    public string Id => id;

    /// <summary>Its place in the output.</summary>
    public int Index => index;

    /// <summary>The chat's index of the call; -1 for a message.</summary>
    public int Call { get; init; } = -1;

    /// <summary>Whether it says why there is no answer.</summary>
    public bool IsRefusal { get; init; }

    /// <summary>The chat's id of the call.</summary>
    public string CallId { get; init; } = "";

    /// <summary>The function's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>The text, or the arguments, so far.</summary>
    public StringBuilder Text { get; } = new();

    /// <summary>Whether it calls a function.</summary>
    public bool IsCall => Call >= 0;

    /// <summary>Writes it as a member of an output.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="status">in_progress, completed or incomplete.</param>
    /// <param name="isNew">Whether nothing is in it yet.</param>
    public void Write(Utf8JsonWriter json, string status, bool isNew = false)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteString("type", IsCall ? "function_call" : "message");
        json.WriteString("status", status);
        if (IsCall)
        {
            json.WriteString("call_id", CallId);
            json.WriteString("name", Name);
            json.WriteString("arguments", isNew ? "" : Text.ToString());
        }
        else
        {
            json.WriteString("role", "assistant");
            json.WriteStartArray("content");
            if (!isNew)
                Part(json, Text.ToString(), IsRefusal);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    /// <summary>A part of a message's content.</summary>
    public static void Part(Utf8JsonWriter json, string text, bool isRefusal)
    {
        json.WriteStartObject();
        if (isRefusal)
        {
            json.WriteString("type", "refusal");
            json.WriteString("refusal", text);
            json.WriteEndObject();
            return;
        }

        json.WriteString("type", "output_text");
        json.WriteString("text", text);
        json.WriteStartArray("annotations");
        json.WriteEndArray();
        json.WriteStartArray("logprobs");
        json.WriteEndArray();
        json.WriteEndObject();
    }
}

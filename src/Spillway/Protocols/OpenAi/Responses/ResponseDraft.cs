using System.Buffers;
using System.Text.Json;
using Spillway.Engine.Gateway;

namespace Spillway.Protocols.OpenAi.Responses;

/// <summary>
/// A response of the Responses API as it grows out of a chat's answer: takes the chat's chunks, or its whole answer,
/// and gives events, or the response. One owner. This file is long because every event of a chunk stands in it.
/// </summary>
/// <param name="id">The response's id.</param>
/// <param name="model">The served name.</param>
/// <param name="created">Seconds since 1970.</param>
/// <param name="echo">What it tells of the request.</param>
internal sealed class ResponseDraft(string id, string model, long created, ResponseEcho echo)
{
    private readonly List<ResponseItem> _items = [];
    private int _number;
    private string _finish = "";
    private JsonElement? _usage;

    private bool IsCut => _finish is "length" or "content_filter";

    private string Status => IsCut ? "incomplete" : "completed";

    /// <summary>The events that begin every stream.</summary>
    public void Begin(IBufferWriter<byte> into)
    {
        Event(into, "response.created", json => Response(json, "in_progress"));
        Event(into, "response.in_progress", json => Response(json, "in_progress"));
    }

    /// <summary>The events of one chunk of a chat.</summary>
    public void Take(JsonElement chunk, IBufferWriter<byte> into)
    {
        if (chunk.TryGetProperty("usage", out var usage) && usage.ValueKind is JsonValueKind.Object)
            _usage = usage.Clone();
        if (!chunk.TryGetProperty("choices", out var choices) || choices.ValueKind is not JsonValueKind.Array)
            return;
        foreach (var choice in choices.EnumerateArray().Where(c => c.ValueKind is JsonValueKind.Object))
        {
            if (choice.TryGetProperty("delta", out var delta) && delta.ValueKind is JsonValueKind.Object)
                Delta(delta, into);
            if (Text(choice, "finish_reason") is { Length: > 0 } reason)
                _finish = reason;
        }
    }

    /// <summary>The events that end a whole stream.</summary>
    public void End(IBufferWriter<byte> into)
    {
        foreach (var item in _items)
            Done(item, into);
        Event(into, IsCut ? "response.incomplete" : "response.completed", json => Response(json, Status));
    }

    /// <summary>The response that a whole chat is.</summary>
    public byte[] Whole(ReadOnlyMemory<byte> chat)
    {
        using var document = JsonDocument.Parse(chat, new() { MaxDepth = AnswerScan.DepthMax });
        var into = new ArrayBufferWriter<byte>(1024);
        // A message is a delta that is everything.
        var choice = document.RootElement.TryGetProperty("choices", out var choices)
            && choices.ValueKind is JsonValueKind.Array && choices.GetArrayLength() > 0 ? choices[0] : default;
        if (choice.ValueKind is JsonValueKind.Object && choice.TryGetProperty("message", out var message)
            && message.ValueKind is JsonValueKind.Object)
            Delta(message, into);
        _finish = Text(choice, "finish_reason");
        if (document.RootElement.TryGetProperty("usage", out var usage) && usage.ValueKind is JsonValueKind.Object)
            _usage = usage.Clone();
        into.Clear();
        using (var json = new Utf8JsonWriter(into))
            Response(json, Status);
        return into.WrittenSpan.ToArray();
    }

    /// <summary>The event that ends a stream which broke.</summary>
    public void Fail(ReadOnlySpan<byte> error, IBufferWriter<byte> into)
    {
        var reader = new Utf8JsonReader(error);
        var body = JsonElement.ParseValue(ref reader).GetProperty("error");
        Event(into, "error", json =>
        {
            json.WriteString("code", body.GetProperty("code").GetString());
            json.WriteString("message", body.GetProperty("message").GetString());
            json.WriteNull("param");
            json.WritePropertyName("error");
            body.WriteTo(json);
        });
    }

    private void Delta(JsonElement delta, IBufferWriter<byte> into)
    {
        if (Text(delta, "content") is { Length: > 0 } text)
            Say(text, isRefusal: false, into);
        if (Text(delta, "refusal") is { Length: > 0 } refusal)
            Say(refusal, isRefusal: true, into);
        if (!delta.TryGetProperty("tool_calls", out var calls) || calls.ValueKind is not JsonValueKind.Array)
            return;
        var place = 0;
        foreach (var call in calls.EnumerateArray().Where(c => c.ValueKind is JsonValueKind.Object))
        {
            Call(call, call.TryGetProperty("index", out var index) && index.ValueKind is JsonValueKind.Number
                && index.TryGetInt32(out var told) && told >= 0 ? told : place, into);
            place++;
        }
    }

    private void Say(string text, bool isRefusal, IBufferWriter<byte> into)
    {
        var item = _items.Find(i => !i.IsCall && i.IsRefusal == isRefusal);
        if (item is null)
        {
            item = new((isRefusal ? "msg_r_" : "msg_") + id, _items.Count) { IsRefusal = isRefusal };
            Add(item, into);
            Event(into, "response.content_part.added", json =>
            {
                Place(json, item, hasContent: true);
                json.WritePropertyName("part");
                ResponseItem.Part(json, "", isRefusal);
            });
        }

        item.Text.Append(text);
        Event(into, isRefusal ? "response.refusal.delta" : "response.output_text.delta", json =>
        {
            Place(json, item, hasContent: true);
            json.WriteString("delta", text);
            if (isRefusal)
                return;
            json.WriteStartArray("logprobs");
            json.WriteEndArray();
        });
    }

    private void Call(JsonElement call, int index, IBufferWriter<byte> into)
    {
        var function = call.TryGetProperty("function", out var f) ? f : default;
        var item = _items.Find(i => i.Call == index);
        if (item is null)
        {
            item = new(FormattableString.Invariant($"fc_{id}_{index}"), _items.Count)
            {
                Call = index, CallId = Text(call, "id"), Name = Text(function, "name"),
            };
            Add(item, into);
        }

        if (Text(function, "arguments") is not { Length: > 0 } arguments)
            return;
        item.Text.Append(arguments);
        Event(into, "response.function_call_arguments.delta", json =>
        {
            Place(json, item, hasContent: false);
            json.WriteString("delta", arguments);
        });
    }

    private void Add(ResponseItem item, IBufferWriter<byte> into)
    {
        _items.Add(item);
        Event(into, "response.output_item.added", json =>
        {
            json.WriteNumber("output_index", item.Index);
            json.WritePropertyName("item");
            item.Write(json, "in_progress", isNew: true);
        });
    }

    private void Done(ResponseItem item, IBufferWriter<byte> into)
    {
        var text = item.Text.ToString();
        var (type, name) = item.IsCall ? ("response.function_call_arguments.done", "arguments")
            : item.IsRefusal ? ("response.refusal.done", "refusal") : ("response.output_text.done", "text");
        Event(into, type, json =>
        {
            Place(json, item, hasContent: !item.IsCall);
            json.WriteString(name, text);
            if (item.IsCall)
                json.WriteString("name", item.Name);
        });
        if (!item.IsCall)
        {
            Event(into, "response.content_part.done", json =>
            {
                Place(json, item, hasContent: true);
                json.WritePropertyName("part");
                ResponseItem.Part(json, text, item.IsRefusal);
            });
        }

        Event(into, "response.output_item.done", json =>
        {
            json.WriteNumber("output_index", item.Index);
            json.WritePropertyName("item");
            item.Write(json, Status);
        });
    }

    private static void Place(Utf8JsonWriter json, ResponseItem item, bool hasContent)
    {
        json.WriteString("item_id", item.Id);
        json.WriteNumber("output_index", item.Index);
        if (hasContent)
            json.WriteNumber("content_index", 0);
    }

    private void Event(IBufferWriter<byte> into, string type, Action<Utf8JsonWriter> of)
    {
        into.Write("event: "u8);
        into.Write(System.Text.Encoding.UTF8.GetBytes(type));
        into.Write("\ndata: "u8);
        using (var json = new Utf8JsonWriter(into))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteNumber("sequence_number", _number++);
            if (type is "response.created" or "response.in_progress" or "response.completed" or "response.incomplete")
                json.WritePropertyName("response");
            of(json);
            json.WriteEndObject();
        }

        into.Write("\n\n"u8);
    }

    private void Response(Utf8JsonWriter json, string status)
    {
        var isOver = status != "in_progress";
        json.WriteStartObject();
        json.WriteString("id", "resp_" + id);
        json.WriteString("object", "response");
        json.WriteNumber("created_at", created);
        json.WriteString("status", status);
        json.WriteNull("error");
        json.WritePropertyName("incomplete_details");
        if (isOver && IsCut)
        {
            json.WriteStartObject();
            json.WriteString("reason", _finish == "length" ? "max_output_tokens" : "content_filter");
            json.WriteEndObject();
        }
        else
            json.WriteNullValue();
        json.WriteString("model", model);
        json.WriteStartArray("output");
        if (isOver)
            _items.ForEach(i => i.Write(json, status));
        json.WriteEndArray();
        echo.WriteTo(json);
        Usage(json);
        json.WriteEndObject();
    }

    private void Usage(Utf8JsonWriter json)
    {
        if (_usage is not { } usage)
        {
            json.WriteNull("usage");
            return;
        }

        json.WriteStartObject("usage");
        json.WriteNumber("input_tokens", Number(usage, "prompt_tokens"));
        Detail(json, usage, "input_tokens_details", "prompt_tokens_details", "cached_tokens");
        json.WriteNumber("output_tokens", Number(usage, "completion_tokens"));
        Detail(json, usage, "output_tokens_details", "completion_tokens_details", "reasoning_tokens");
        json.WriteNumber("total_tokens", Number(usage, "prompt_tokens") + Number(usage, "completion_tokens"));
        json.WriteEndObject();
    }

    private static void Detail(Utf8JsonWriter json, JsonElement usage, string name, string from, string member)
    {
        json.WriteStartObject(name);
        json.WriteNumber(member, usage.TryGetProperty(from, out var details)
            && details.ValueKind is JsonValueKind.Object ? Number(details, member) : 0);
        json.WriteEndObject();
    }

    private static long Number(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number
            && value.TryGetInt64(out var number) ? number : 0;

    private static string Text(JsonElement of, string name)
    {
        if (of.ValueKind is not JsonValueKind.Object || !of.TryGetProperty(name, out var value)
            || value.ValueKind is not JsonValueKind.String)
            return "";
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // Half a pair of surrogates: no text by itself, and no reason to break the answer off.
            return "\uFFFD";
        }
    }
}

using System.Buffers;
using System.Text;
using System.Text.Json;
using Spillway.Policies.Content;

namespace Spillway.Engine.Gateway;

/// <summary>
/// Holds what is asked to a route's rules: texts of messages, prompts and inputs, each by itself. What is masked is
/// written anew, and every other byte stays as it came.
/// </summary>
internal ref struct PromptGuard
{
    private const int DepthMax = 128;

    private readonly ContentRules _rules;
    private readonly ContentLog _log;
    private readonly BodyEdits _edits = new();
    private Utf8JsonReader _reader;
    private long _chars;
    private ContentRule? _refused;
    private bool _hasTokens;

    private PromptGuard(ReadOnlySpan<byte> body, ContentRules rules, ContentLog log)
    {
        (_rules, _log) = (rules, log);
        _reader = new(body, new JsonReaderOptions { MaxDepth = DepthMax });
    }

    /// <summary>What is asked, with masks where rules say so; or why it is refused.</summary>
    public static Outcome<AskedBody> Judge(AskedBody asked, ContentRules rules, ContentLog log)
    {
        var guard = new PromptGuard(asked.Bytes.Span, rules, log);
        guard.Walk();
        if (guard._refused is { } rule)
            return log.RefusePrompt(rule);
        if (guard._hasTokens && rules.Changes)
        {
            return Fault.Invalid("The route has rules over content, which look into texts: send the prompt as text and "
                + "not as tokens.");
        }

        if (guard._edits.Count == 0)
            return asked;
        var body = new ArrayBufferWriter<byte>(asked.Bytes.Length);
        guard._edits.Write(asked.Bytes.Span, default, body);
        return BodyScan.Read(asked.Call, body.WrittenMemory).TryGet(out var masked, out var fault)
            ? masked with { WantsUsage = asked.WantsUsage } : fault;
    }

    /// <summary>The form was looked at before: it is an object, and well formed.</summary>
    private void Walk()
    {
        _reader.Read();
        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName && _refused is null)
        {
            if (Is("messages"u8, "prompt"u8) || Is("input"u8, "suffix"u8) || Is("prediction"u8, "documents"u8))
                Value(isTop: true);
            else
                _reader.Skip();
        }

        foreach (var rule in _rules.Lengths)
        {
            if (_chars <= rule.CharsMax || _refused is not null)
                continue;
            _log.OfPrompt(rule);
            _refused = rule.Do is ContentAction.Refuse ? rule : null;
        }
    }

    private void Value(bool isTop)
    {
        _reader.Read();
        switch (_reader.TokenType)
        {
            case JsonTokenType.String:
                Text();
                break;
            case JsonTokenType.StartObject:
                while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
                    Member();
                break;
            case JsonTokenType.StartArray:
                Items(isTop);
                break;
            default:
                break;
        }
    }

    private void Items(bool isTop)
    {
        var depth = _reader.CurrentDepth;
        while (true)
        {
            var ahead = _reader;
            ahead.Read();
            if (ahead.TokenType is JsonTokenType.EndArray && ahead.CurrentDepth == depth)
            {
                _reader = ahead;
                return;
            }

            _hasTokens |= isTop && ahead.TokenType is JsonTokenType.Number;
            Value(isTop);
        }
    }

    /// <summary>Names and marks are no text, and attachments cannot be looked into.</summary>
    private void Member()
    {
        if (Is("role"u8, "type"u8) || Is("id"u8, "tool_call_id"u8) || Is("image_url"u8, "input_audio"u8)
            || Is("file"u8, "detail"u8))
            _reader.Skip();
        else
            Value(isTop: false);
    }

    private void Text()
    {
        var at = (int)_reader.TokenStartIndex;
        var text = JsonChars.Read(_reader.ValueSpan, _reader.ValueIsEscaped);
        _chars += text.Length;
        if (_refused is not null)
            return;
        var into = new StringBuilder(text.Length);
        var judge = new ContentText(_rules, _log.OfPrompt);
        judge.Take(text, isEnd: true, into);
        _refused = judge.Refused;
        if (_refused is null && !into.Equals(text))
            _edits.Add(at, (int)_reader.BytesConsumed - at, into.ToString());
    }

    private readonly bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> other) =>
        _reader.ValueTextEquals(name) || _reader.ValueTextEquals(other);
}

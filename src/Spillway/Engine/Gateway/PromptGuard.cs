using System.Buffers;
using System.Text;
using System.Text.Json;
using Spillway.Policies.Content;

namespace Spillway.Engine.Gateway;

/// <summary>
/// Holds what is asked to a route's rules: texts of messages, prompts and inputs, each by itself. What is masked is
/// written anew, and every other byte stays as it came. A text is looked at in pieces: beside the body, and a second
/// one where something is masked, it needs <see cref="PieceChars"/> characters and what the rules hold back.
/// </summary>
internal ref struct PromptGuard
{
    private const int DepthMax = 128;
    private const int PieceChars = 16 * 1024;

    private readonly ContentRules _rules;
    private readonly ContentLog _log;
    private readonly ReadOnlySpan<byte> _body;
    private readonly bool _isCount;
    private ArrayBufferWriter<byte>? _masked;
    private int _written;
    private Utf8JsonReader _reader;
    private long _chars;
    private ContentRule? _refused;
    private bool _hasTokens;

    private PromptGuard(ReadOnlySpan<byte> body, ContentRules rules, ContentLog log, bool isCount)
    {
        _body = body;
        (_rules, _log, _isCount) = (rules, log, isCount);
        _reader = new(body, new JsonReaderOptions { MaxDepth = DepthMax });
    }

    /// <summary>
    /// Holds what is asked to the rules over lengths, which costs no more than reading it; null when it may go on.
    /// </summary>
    public static Fault? JudgeLength(AskedBody asked, ContentRules rules, ContentLog log)
    {
        if (rules.Lengths.Count == 0)
            return null;
        var guard = new PromptGuard(asked.Bytes.Span, rules, log, isCount: true);
        guard.Walk();
        foreach (var rule in rules.Lengths)
        {
            if (guard._chars <= rule.CharsMax)
                continue;
            log.OfPrompt(rule);
            if (rule.Do is ContentAction.Refuse)
                return log.RefusePrompt(rule);
        }

        return null;
    }

    /// <summary>What is asked, with masks where rules say so; or why it is refused.</summary>
    public static Outcome<AskedBody> Judge(AskedBody asked, ContentRules rules, ContentLog log)
    {
        var guard = new PromptGuard(asked.Bytes.Span, rules, log, isCount: false);
        guard.Walk();
        if (guard._refused is { } rule)
            return log.RefusePrompt(rule);
        if (guard._hasTokens && rules.Changes)
        {
            return Fault.Invalid("The route has rules over content, which look into texts: send the prompt as text and "
                + "not as tokens.");
        }

        if (guard._masked is not { } masked)
            return asked;
        masked.Write(guard._body[guard._written..]);
        return BodyScan.Read(asked.Call, masked.WrittenMemory).TryGet(out var judged, out var fault)
            ? judged with { WantsUsage = asked.WantsUsage } : fault;
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
        if (_refused is not null)
            return;
        if (_isCount)
        {
            _chars += JsonPieces.CountChars(_reader.ValueSpan);
            return;
        }

        var (log, isMasked) = (_log, false);
        Scan(rule =>
        {
            log.OfPrompt(rule);
            isMasked |= rule.Do is ContentAction.Mask;
        }, null);
        if (_refused is not null || !isMasked)
            return;
        // Again, for what stands before the first mask is gone: of most texts nothing must be kept.
        var at = (int)_reader.TokenStartIndex;
        _masked ??= new(_body.Length);
        _masked.Write(_body[_written..at]);
        _masked.Write("\""u8);
        Scan(static _ => { }, _masked);
        _masked.Write("\""u8);
        _written = (int)_reader.BytesConsumed;
    }

    /// <summary>The text under the rules, piece by piece.</summary>
    /// <param name="found">Told of each match.</param>
    /// <param name="into">Takes the text with its masks; null where nobody wants it.</param>
    private void Scan(Action<ContentRule> found, ArrayBufferWriter<byte>? into)
    {
        var judge = new ContentText(_rules, found);
        var pieces = new JsonPieces(_reader.ValueSpan);
        var piece = ArrayPool<char>.Shared.Rent(Math.Clamp(_reader.ValueSpan.Length, 2, PieceChars));
        // With room for what was held back before a piece: it is one block then, which is used again.
        var given = new StringBuilder(piece.Length + _rules.HoldCharsMax);
        try
        {
            do
            {
                var length = pieces.Read(piece);
                judge.Take(piece.AsSpan(0, length), pieces.IsEmpty, given.Clear());
                if (into is not null)
                    JsonChars.WritePiece(given.ToString(), into);
            }
            while (!pieces.IsEmpty && judge.Refused is null);
        }
        finally
        {
            ArrayPool<char>.Shared.Return(piece, clearArray: true);
        }

        _refused = judge.Refused;
    }

    private readonly bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> other) =>
        _reader.ValueTextEquals(name) || _reader.ValueTextEquals(other);
}

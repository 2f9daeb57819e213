using System.Buffers;
using System.Text;
using System.Text.Json;
using Spillway.Transforms.Tokens;

namespace Spillway.Engine.Gateway;

/// <summary>Tokens of a prompt.</summary>
/// <param name="AtMost">What is reserved for them.</param>
/// <param name="Counted">What is billed where the upstream does not say; null where no vocabulary counted it.</param>
internal readonly record struct PromptTokens(long AtMost, long? Counted)
{
    /// <summary>OpenAI's account of a chat: each message's own tokens, and the beginning of the answer.</summary>
    public const int PerMessage = 4;

    /// <summary>The tokens with which an answer begins.</summary>
    public const int OfAnswer = 3;
}

/// <summary>
/// Counts the texts of a body with a vocabulary. In the bound that holds for any body each text's bytes give way to
/// what it can be at most in the vocabulary; everything else (marks, tools, ids, other fields) counts as before.
/// </summary>
internal ref struct PromptScan
{
    private const int DepthMax = 128;

    private readonly Tokenizer _tokenizer;
    private Utf8JsonReader _reader;
    private long _left;
    private long _saved;
    private long _tokens;
    private bool _hasTexts;

    private PromptScan(ReadOnlySpan<byte> body, Tokenizer tokenizer, long bytesMax)
    {
        (_tokenizer, _left) = (tokenizer, bytesMax);
        _reader = new(body, new JsonReaderOptions { MaxDepth = DepthMax });
    }

    /// <summary>Counts a body; its form was looked at before.</summary>
    /// <param name="asked">The body.</param>
    /// <param name="most">What bounds it without a vocabulary.</param>
    /// <param name="tokenizer">The vocabulary.</param>
    /// <param name="bytesMax">What is beyond so many bytes of texts counts by its bytes.</param>
    public static PromptTokens Count(AskedBody asked, long most, Tokenizer tokenizer, long bytesMax)
    {
        // What a model makes of a picture or a sound, and of the text beside it, is its own affair.
        if (asked.Attachments > 0)
            return new(most, null);
        var scan = new PromptScan(asked.Bytes.Span, tokenizer, bytesMax);
        scan.Walk(asked.Call);
        if (!scan._hasTexts)
            return new(most, null);
        var own = asked.Call is WireCall.Chat
            ? ((long)asked.Messages * PromptTokens.PerMessage) + PromptTokens.OfAnswer : 0;
        return new(most - scan._saved, scan._tokens + own + ((asked.ToolBytes + 3) / 4));
    }

    private void Walk(WireCall call)
    {
        _reader.Read();
        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
        {
            if (call is WireCall.Chat && _reader.ValueTextEquals("messages"u8))
                Messages();
            else if ((call is WireCall.Completion && _reader.ValueTextEquals("prompt"u8))
                || (call is WireCall.Embedding or WireCall.Moderation && _reader.ValueTextEquals("input"u8)))
                Texts();
            else
                _reader.Skip();
        }
    }

    private void Messages()
    {
        _reader.Read();
        while (_reader.Read() && _reader.TokenType is JsonTokenType.StartObject)
        {
            while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
            {
                if (_reader.ValueTextEquals("content"u8))
                    Texts();
                else
                    _reader.Skip();
            }
        }
    }

    /// <summary>A text, a list of texts, or a list of a message's parts.</summary>
    private void Texts()
    {
        _reader.Read();
        if (_reader.TokenType is JsonTokenType.String)
            Text();
        if (_reader.TokenType is not JsonTokenType.StartArray)
            return;
        while (_reader.Read() && _reader.TokenType is not JsonTokenType.EndArray)
        {
            if (_reader.TokenType is JsonTokenType.String)
                Text();
            else if (_reader.TokenType is JsonTokenType.StartObject)
                Part();
            else
                _reader.Skip();
        }
    }

    private void Part()
    {
        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
        {
            var isText = _reader.ValueTextEquals("text"u8) || _reader.ValueTextEquals("refusal"u8);
            _reader.Read();
            if (isText && _reader.TokenType is JsonTokenType.String)
                Text();
            else
                _reader.Skip();
        }
    }

    private void Text()
    {
        var raw = _reader.ValueSpan;
        var room = ArrayPool<char>.Shared.Rent(raw.Length);
        try
        {
            var text = room.AsSpan(0, JsonChars.Read(raw, _reader.ValueIsEscaped, room));
            // A character is one byte at least, so no more than that many are looked at.
            var counted = (int)Math.Min(text.Length, _left);
            if (counted > 0 && counted < text.Length && char.IsHighSurrogate(text[counted - 1]))
                counted--;
            var rest = Encoding.UTF8.GetByteCount(text[counted..]);
            _left -= raw.Length;
            var found = _tokenizer.CountOf(text[..counted]);
            _saved += Math.Max(0, raw.Length - (found.AtMost + rest));
            _tokens += found.Tokens + ((rest + 3) / 4);
            _hasTexts = true;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(room);
        }

        _left = Math.Max(0, _left);
    }
}

using System.Text.Json;

namespace Spillway.Engine.Gateway;

/// <summary>
/// Finds in a JSON object of an answer what bills and truth need: content, ends, errors, usage. One pass, nothing is
/// built; texts are made only where they are asked for. This file is long because all that may stand in an answer is
/// read in it.
/// </summary>
internal ref struct AnswerScan
{
    /// <summary>The deepest answer that is read; a deeper one is broken.</summary>
    public const int DepthMax = 128;

    private const int MessageMax = 1000;

    private readonly ReadOnlySpan<byte> _json;
    private readonly bool _wantsNames;
    private readonly AnswerText? _text;
    private Utf8JsonReader _reader;
    private bool _hasText;
    private bool _isExplained;

    private AnswerScan(ReadOnlySpan<byte> json, bool wantsNames, AnswerText? text)
    {
        _json = json;
        (_wantsNames, _text) = (wantsNames, text);
        _reader = new(json, new JsonReaderOptions { MaxDepth = DepthMax });
    }

    /// <summary>Reads one object.</summary>
    /// <param name="json">Its bytes.</param>
    /// <param name="wantsNames">Whether id and model are read.</param>
    /// <param name="text">Takes what the model wrote; null where nobody wants that.</param>
    public static AnswerPart Read(ReadOnlySpan<byte> json, bool wantsNames, AnswerText? text = null)
    {
        var part = new AnswerPart { ErrorMessage = "", FinishReason = "", Id = "", Model = "" };
        var scan = new AnswerScan(json, wantsNames, text);
        try
        {
            scan.Object(ref part);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            part.IsBroken = true;
        }

        return part;
    }

    private void Object(ref AnswerPart part)
    {
        part.IsBroken = !_reader.Read() || _reader.TokenType is not JsonTokenType.StartObject;
        if (part.IsBroken)
            return;
        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
            Member(ref part);
        part.IsBroken = _reader.TokenType is not JsonTokenType.EndObject || _reader.Read();
    }

    private void Member(ref AnswerPart part)
    {
        var at = (int)_reader.TokenStartIndex;
        if (_reader.ValueTextEquals("choices"u8))
            Choices(ref part);
        else if (_reader.ValueTextEquals("usage"u8))
            Usage(ref part, at);
        else if (_reader.ValueTextEquals("error"u8))
            Error(ref part);
        else if (_reader.ValueTextEquals("data"u8) || _reader.ValueTextEquals("results"u8))
            Data(ref part);
        else if (_wantsNames && _reader.ValueTextEquals("id"u8))
            part.Id = Text();
        else if (_wantsNames && _reader.ValueTextEquals("model"u8))
            part.Model = Text();
        else
            Account(ref part);
    }

    /// <summary>A server's own account of its times: llama-server's in an object, Ollama's beside the answer.</summary>
    private void Account(ref AnswerPart part)
    {
        if (_reader.ValueTextEquals("timings"u8))
            Timings(ref part);
        else if (_reader.ValueTextEquals("prompt_eval_duration"u8))
            part.PromptMs = Nanoseconds();
        else if (_reader.ValueTextEquals("eval_duration"u8))
            part.PredictedMs = Nanoseconds();
        else
            _reader.Skip();
    }

    private string Text()
    {
        _reader.Read();
        if (_reader.TokenType is JsonTokenType.String)
            return _reader.ValueSpan.Length <= MessageMax ? _reader.GetString()! : "";
        _reader.Skip();
        return "";
    }

    /// <summary>Embeddings and moderations: whatever stands there is the answer.</summary>
    private void Data(ref AnswerPart part)
    {
        _reader.Read();
        if (_reader.TokenType is not JsonTokenType.StartArray)
        {
            _reader.Skip();
            return;
        }

        while (_reader.Read() && _reader.TokenType is not JsonTokenType.EndArray)
        {
            part.DataCount++;
            if (_reader.TokenType is JsonTokenType.StartObject)
                Datum(ref part);
            else
                _reader.Skip();
        }
    }

    private void Datum(ref AnswerPart part)
    {
        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
        {
            var isVector = _reader.ValueTextEquals("embedding"u8);
            _reader.Read();
            part.HasNumbers |= isVector && _reader.TokenType is JsonTokenType.StartArray;
            _reader.Skip();
        }
    }

    private void Error(ref AnswerPart part)
    {
        _reader.Read();
        part.HasError |= _reader.TokenType is not (JsonTokenType.Null or JsonTokenType.False);
        if (_reader.TokenType is JsonTokenType.String)
            part.ErrorMessage = _reader.ValueSpan.Length <= MessageMax ? _reader.GetString()! : "";
        if (_reader.TokenType is not JsonTokenType.StartObject)
        {
            _reader.Skip();
            return;
        }

        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
        {
            if (_reader.ValueTextEquals("message"u8))
                part.ErrorMessage = Text();
            else
                _reader.Skip();
        }
    }

    private void Choices(ref AnswerPart part)
    {
        _reader.Read();
        if (_reader.TokenType is not JsonTokenType.StartArray)
        {
            _reader.Skip();
            return;
        }

        while (_reader.Read() && _reader.TokenType is not JsonTokenType.EndArray)
        {
            if (_reader.TokenType is JsonTokenType.StartObject)
                Choice(ref part);
            else
                _reader.Skip();
        }
    }

    private void Choice(ref AnswerPart part)
    {
        var (index, finished, before) = (0, false, part.ContentBytes);
        (_hasText, _isExplained) = (false, false);
        part.HasChoices = true;
        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
        {
            if (_reader.ValueTextEquals("index"u8))
                index = Index();
            else if (_reader.ValueTextEquals("finish_reason"u8))
                finished = Finish(ref part);
            else
                Said(ref part);
        }

        var bit = 1UL << Math.Clamp(index, 0, 63);
        part.Choices |= bit;
        part.Said |= part.ContentBytes > before ? bit : 0;
        part.Finished |= finished ? bit : 0;
        // An empty text may be all that there is to say; no text and no reason for it is no answer.
        part.HasAnswer |= part.ContentBytes > before || (finished && (_hasText || _isExplained));
    }

    /// <summary>A choice's member that holds what the model wrote, or an error in its place.</summary>
    private void Said(ref AnswerPart part)
    {
        if (_reader.ValueTextEquals("delta"u8) || _reader.ValueTextEquals("message"u8))
            Delta(ref part);
        else if (_reader.ValueTextEquals("text"u8))
        {
            part.ContentBytes += Length();
            _hasText |= _reader.TokenType is JsonTokenType.String;
        }
        else if (_reader.ValueTextEquals("error"u8))
            Error(ref part);
        else
            _reader.Skip();
    }

    private int Index()
    {
        _reader.Read();
        return _reader.TokenType is JsonTokenType.Number && _reader.TryGetInt32(out var number) ? number : 0;
    }

    /// <summary>Whether the choice ended; an empty reason in every event is what some servers write instead of
    /// null.</summary>
    private bool Finish(ref AnswerPart part)
    {
        _reader.Read();
        if (_reader.TokenType is not JsonTokenType.String || _reader.ValueSpan.Length == 0)
        {
            _reader.Skip();
            return false;
        }

        part.FinishReason = Reason();
        part.HasError |= part.FinishReason == "error";
        _isExplained = part.FinishReason is not ("stop" or "tool_calls" or "function_call");
        return true;
    }

    /// <summary>The usual ones without a text of their own for each answer.</summary>
    private readonly string Reason()
    {
        if (_reader.ValueTextEquals("stop"u8))
            return "stop";
        if (_reader.ValueTextEquals("length"u8))
            return "length";
        return _reader.ValueTextEquals("tool_calls"u8) ? "tool_calls" : _reader.GetString()!;
    }

    private void Delta(ref AnswerPart part)
    {
        _reader.Read();
        if (_reader.TokenType is not JsonTokenType.StartObject)
        {
            _reader.Skip();
            return;
        }

        var thought = 0;
        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
        {
            // Whatever is not the role, or an annotation, is what the model wrote: also under names yet to come.
            var isContent = _reader.ValueTextEquals("content"u8);
            if (_reader.ValueTextEquals("role"u8) || _reader.ValueTextEquals("annotations"u8)
                || _reader.ValueTextEquals("obfuscation"u8))
                _reader.Skip();
            else if (_reader.ValueTextEquals("reasoning_content"u8) || _reader.ValueTextEquals("reasoning"u8)
                || _reader.ValueTextEquals("reasoning_details"u8) || _reader.ValueTextEquals("thinking"u8))
                // Some servers tell one thought under two of these names.
                thought = Math.Max(thought, Length(isKept: thought == 0));
            else
                part.ContentBytes += Length();
            _hasText |= isContent && _reader.TokenType is JsonTokenType.String;
        }

        part.ContentBytes += thought;
    }

    /// <summary>Bytes of a value that says something: an empty text, list or object says nothing.</summary>
    private int Length(bool isKept = true)
    {
        _reader.Read();
        switch (_reader.TokenType)
        {
            case JsonTokenType.String:
                return Kept(isKept);
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                return Texts(isKept);
            case JsonTokenType.Number or JsonTokenType.True:
                return 1;
            default:
                return 0;
        }
    }

    /// <summary>
    /// Bytes of the texts in a list or an object that a model writes; the form around them is the server's, and so are
    /// numbers and ids. One for a value that has none of them and is not empty.
    /// </summary>
    private int Texts(bool isKept)
    {
        var (depth, bytes, isEmpty, isWritten) = (_reader.CurrentDepth, 0, true, false);
        while (_reader.Read() && _reader.CurrentDepth > depth)
        {
            isEmpty &= _reader.TokenType is JsonTokenType.StartObject or JsonTokenType.EndObject
                or JsonTokenType.StartArray or JsonTokenType.EndArray;
            if (_reader.TokenType is JsonTokenType.PropertyName)
                isWritten = IsWritten();
            else if (_reader.TokenType is JsonTokenType.String && isWritten)
                bytes += Kept(isKept);
        }

        return isEmpty ? 0 : Math.Max(bytes, 1);
    }

    private readonly int Kept(bool isKept)
    {
        if (isKept)
            _text?.Add(_reader.ValueSpan, _reader.ValueIsEscaped);
        return _reader.ValueSpan.Length;
    }

    private readonly bool IsWritten() => _reader.ValueTextEquals("arguments"u8) || _reader.ValueTextEquals("name"u8)
        || _reader.ValueTextEquals("text"u8) || _reader.ValueTextEquals("input"u8)
        || _reader.ValueTextEquals("summary"u8) || _reader.ValueTextEquals("content"u8)
        || _reader.ValueTextEquals("refusal"u8) || _reader.ValueTextEquals("transcript"u8);

    private void Usage(ref AnswerPart part, int at)
    {
        _reader.Read();
        if (_reader.TokenType is JsonTokenType.StartObject)
            Tokens(ref part);
        else
            _reader.Skip();
        (part.UsageAt, part.UsageLength) = WithComma(at, (int)_reader.BytesConsumed);
    }

    /// <summary>Nothing where the prompt's are not told: an empty object is no account of zero.</summary>
    private void Tokens(ref AnswerPart part)
    {
        long? input = null;
        long? output = null;
        var (cached, reasoning) = (0L, 0L);
        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
        {
            if (Is("prompt_tokens"u8, "input_tokens"u8))
                input = Count() ?? input;
            else if (Is("completion_tokens"u8, "output_tokens"u8))
                output = Count() ?? output;
            else if (Is("prompt_tokens_details"u8, "input_tokens_details"u8))
                cached = Detail("cached_tokens"u8);
            else if (Is("completion_tokens_details"u8, "output_tokens_details"u8))
                reasoning = Detail("reasoning_tokens"u8);
            else
                _reader.Skip();
        }

        part.TellsOutput = output is not null;
        part.Usage = input is { } prompt ? new(prompt, output ?? 0) { Cached = cached, Reasoning = reasoning } : null;
    }

    private readonly bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> alias) =>
        _reader.ValueTextEquals(name) || _reader.ValueTextEquals(alias);

    private long? Count()
    {
        _reader.Read();
        if (_reader.TokenType is JsonTokenType.Number && _reader.TryGetInt64(out var count)
            && count is >= 0 and < 1L << 40)
            return count;
        _reader.Skip();
        return null;
    }

    private long Detail(ReadOnlySpan<byte> name)
    {
        var found = 0L;
        _reader.Read();
        if (_reader.TokenType is not JsonTokenType.StartObject)
        {
            _reader.Skip();
            return 0;
        }

        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
        {
            if (_reader.ValueTextEquals(name))
                found = Count() ?? 0;
            else
                _reader.Skip();
        }

        return found;
    }

    /// <summary>Ollama's account, in milliseconds.</summary>
    private double Nanoseconds() => Count() is { } time ? time / 1e6 : 0;

    private void Timings(ref AnswerPart part)
    {
        _reader.Read();
        if (_reader.TokenType is not JsonTokenType.StartObject)
        {
            _reader.Skip();
            return;
        }

        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
        {
            var prompt = _reader.ValueTextEquals("prompt_ms"u8);
            if (!prompt && !_reader.ValueTextEquals("predicted_ms"u8))
            {
                _reader.Skip();
                continue;
            }

            _reader.Read();
            var ms = _reader.TokenType is JsonTokenType.Number && _reader.TryGetDouble(out var number)
                && number is >= 0 and < 1e9 ? number : 0;
            (part.PromptMs, part.PredictedMs) = prompt ? (ms, part.PredictedMs) : (part.PromptMs, ms);
        }
    }

    /// <summary>The member with the comma behind it, or else with the one before it: what is left is JSON.</summary>
    private readonly (int At, int Length) WithComma(int at, int end)
    {
        var behind = end;
        while (behind < _json.Length && _json[behind] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            behind++;
        if (behind < _json.Length && _json[behind] == (byte)',')
            return (at, behind + 1 - at);
        var before = at - 1;
        while (before > 0 && _json[before] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            before--;
        return before > 0 && _json[before] == (byte)',' ? (before, end - before) : (at, end - at);
    }
}

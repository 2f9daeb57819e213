using System.Text;
using System.Text.Json;

namespace Spillway.Engine.Gateway;

/// <summary>
/// Reads from a body the few fields that the gateway must know, without building anything of the rest. A field that
/// stands twice is refused where it matters: the upstream might believe the other one. This file is long because every
/// field that is read stands in it.
/// </summary>
internal ref partial struct BodyScan
{
    private const int DepthMax = 128;
    private const int NameBytesMax = 256;

    /// <summary>The longest guarded name, of which every letter may be written as \u and four digits.</summary>
    private const int GuardedBytesMax = 21 * 6;

    /// <summary>Inputs of one embedding or moderation: what OpenAI takes.</summary>
    private const int InputsMax = 2048;

    private static readonly string[] s_guarded =
    [
        "model", "messages", "prompt", "input", "stream", "stream_options", "max_tokens", "max_completion_tokens",
        "n_predict", "n", "best_of", "tools", "functions",
    ];

    private readonly WireCall _call;
    private readonly ReadOnlyMemory<byte> _body;
    private Utf8JsonReader _reader;
    private Found _found;
    private string? _model;
    private AskedBody.Place _modelAt;
    private AskedBody.Place _optionsAt;
    private AskedBody.Place _includeAt;
    private bool _stream;
    private bool _wantsUsage;
    private long? _tokensMax;
    private AskedBody.CapPlace _maxTokensAt;
    private AskedBody.CapPlace _completionTokensAt;
    private int _choices;
    private int _messages;
    private int _prompts;
    private int _attachments;
    private int _attachmentBytes;
    private int _toolBytes;
    private string? _numbersAsked;
    private Fault? _fault;

    private BodyScan(WireCall call, ReadOnlyMemory<byte> body)
    {
        (_call, _body, _choices, _prompts) = (call, body, 1, 1);
        _reader = new(body.Span, new JsonReaderOptions { MaxDepth = DepthMax });
    }

    [Flags]
    private enum Found
    {
        None = 0,
        Model = 1,
        Stream = 2,
        Options = 4,
        TokensMax = 8,
        CompletionTokensMax = 16,
        Choices = 32,
        BestOf = 64,
        Content = 128,
        Tools = 256,
        Predict = 512,
    }

    /// <summary>What stands in a body, or what is wrong with it.</summary>
    public static Outcome<AskedBody> Read(WireCall call, ReadOnlyMemory<byte> body)
    {
        var scan = new BodyScan(call, body);
        try
        {
            return scan.Read();
        }
        catch (JsonException broken)
        {
            return Fault.Invalid($"The request body is not JSON: {broken.Message} Send one JSON object in UTF-8.");
        }
        catch (InvalidOperationException broken)
        {
            return Fault.Invalid($"The request body is not as this protocol has it: {broken.Message}");
        }
    }

    private Outcome<AskedBody> Read()
    {
        if (!_reader.Read() || _reader.TokenType is not JsonTokenType.StartObject)
            return Fault.Invalid("The request body is not a JSON object.");
        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName && _fault is null)
            Member();
        if (_fault is not null)
            return _fault;
        var end = (int)_reader.TokenStartIndex;
        // What follows the object is no JSON of this request.
        if (_reader.Read())
            return Fault.Invalid("Behind the request's JSON object something follows.");
        return Missing() is { } missing ? missing : new AskedBody
        {
            Call = _call, Bytes = _body, Model = _model!, ModelAt = _modelAt, EndAt = end, Stream = _stream,
            WantsUsage = _wantsUsage, OptionsAt = _optionsAt, IncludeAt = _includeAt, TokensMax = _tokensMax,
            MaxTokensAt = _maxTokensAt, CompletionTokensAt = _completionTokensAt,
            Choices = (int)Math.Min((long)_choices * _prompts, int.MaxValue), Messages = _messages,
            Attachments = _attachments, AttachmentBytes = _attachmentBytes, ToolBytes = _toolBytes,
            NumbersAsked = _numbersAsked,
        };
    }

    private readonly Fault? Missing()
    {
        if (_model is null && _call is not WireCall.Moderation)
            return Fault.Invalid("The field model is missing. GET /v1/models lists what is served.");
        if (_model is null)
            return Fault.Invalid("The field model is missing: name a route, GET /v1/models lists them.");
        if (_found.HasFlag(Found.Content))
            return null;
        var name = _call switch
        {
            WireCall.Chat => "messages",
            WireCall.Completion => "prompt",
            WireCall.Embedding or WireCall.Moderation => "input",
        };
        return Fault.Invalid($"The field {name} is missing.");
    }

    private void Member()
    {
        if (_reader.ValueTextEquals("model"u8))
            Model();
        else if (_reader.ValueTextEquals("messages"u8) && _call is WireCall.Chat)
            Messages();
        else if (_reader.ValueTextEquals("prompt"u8) && _call is WireCall.Completion)
            Content("prompt");
        else if (_reader.ValueTextEquals("input"u8) && _call is WireCall.Embedding or WireCall.Moderation)
            Content("input");
        else if (!WireCalls.Writes(_call))
            Other();
        else
            WritingMember();
    }

    /// <summary>
    /// A field that is passed on unread, unless a server that takes names in any case would read it as one of those
    /// that bind here.
    /// </summary>
    private void Other()
    {
        if (_reader.ValueSpan.Length <= GuardedBytesMax && Resembled() is { } guarded)
        {
            _fault = Fault.Invalid(
                $"The field {_reader.GetString()} differs from {guarded} in its case only. Write {guarded}.");
        }

        Pass();
    }

    private readonly string? Resembled()
    {
        var name = _reader.ValueSpan;
        // Go's reader takes two letters beyond ASCII for s and k.
        var text = _reader.ValueIsEscaped || !Ascii.IsValid(name)
            ? _reader.GetString()!.Replace('\u017F', 's').Replace('\u212A', 'k') : null;
        foreach (var guarded in s_guarded)
        {
            var isAlike = text is null ? Ascii.EqualsIgnoreCase(name, guarded)
                : text.Equals(guarded, StringComparison.OrdinalIgnoreCase);
            if (isAlike && !_reader.ValueTextEquals(guarded))
                return guarded;
        }

        return null;
    }

    private void WritingMember()
    {
        if (_reader.ValueTextEquals("stream"u8))
            Switch();
        else if (_reader.ValueTextEquals("stream_options"u8))
            Options();
        else if (_reader.ValueTextEquals("max_tokens"u8))
            _maxTokensAt = Cap("max_tokens", Found.TokensMax);
        else if (_reader.ValueTextEquals("max_completion_tokens"u8))
            _completionTokensAt = Cap("max_completion_tokens", Found.CompletionTokensMax);
        else if (_reader.ValueTextEquals("n_predict"u8))
            // llama-server heeds it before the two others, and takes -1 for "without end".
            Cap("n_predict", Found.Predict);
        else if (_reader.ValueTextEquals("n"u8))
            Choices("n", Found.Choices);
        else if (_reader.ValueTextEquals("best_of"u8))
            Choices("best_of", Found.BestOf);
        else if (_reader.ValueTextEquals("tools"u8) || _reader.ValueTextEquals("functions"u8))
            Tools();
        else
            Other();
    }

    private void Model()
    {
        if (Twice("model", Found.Model))
            return;
        _reader.Read();
        if (_reader.TokenType is not JsonTokenType.String || _reader.ValueSpan.Length is 0 or > NameBytesMax)
        {
            _fault = Fault.Invalid("The field model is not a name. GET /v1/models lists what is served.");
            return;
        }

        _model = _reader.GetString();
        _modelAt = new((int)_reader.TokenStartIndex, (int)(_reader.BytesConsumed - _reader.TokenStartIndex));
    }

    private void Switch()
    {
        if (Twice("stream", Found.Stream))
            return;
        _reader.Read();
        if (_reader.TokenType is not (JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null))
            _fault = Fault.Invalid("The field stream is neither true nor false.");
        _stream = _reader.TokenType is JsonTokenType.True;
    }

    private void Options()
    {
        if (Twice("stream_options", Found.Options))
            return;
        _reader.Read();
        var at = (int)_reader.TokenStartIndex;
        if (_reader.TokenType is JsonTokenType.StartObject)
        {
            while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
                Option();
        }
        else if (_reader.TokenType is not JsonTokenType.Null)
            _fault = Fault.Invalid("The field stream_options is not an object.");
        _optionsAt = new(at, (int)_reader.BytesConsumed - at);
    }

    private void Option()
    {
        if (!_reader.ValueTextEquals("include_usage"u8))
        {
            _reader.Skip();
            return;
        }

        _reader.Read();
        if (_reader.TokenType is not (JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null)
            || _includeAt.Length > 0)
            _fault = Fault.Invalid(
                "The field stream_options.include_usage is neither true nor false, or stands twice.");
        _wantsUsage = _reader.TokenType is JsonTokenType.True;
        _includeAt = new((int)_reader.TokenStartIndex, (int)(_reader.BytesConsumed - _reader.TokenStartIndex));
    }

    private AskedBody.CapPlace Cap(string name, Found which)
    {
        if (Twice(name, which))
            return default;
        var at = Here();
        var cap = Whole(name);
        // Servers differ in which of them they heed: the largest one is what may come.
        if (cap is { } most)
            _tokensMax = Math.Max(_tokensMax ?? 0, most);
        return new(at, Here(), cap is null);
    }

    /// <summary>Where the token stands that was read last.</summary>
    private readonly AskedBody.Place Here()
    {
        var at = (int)_reader.TokenStartIndex;
        // A name's end counts its colon.
        return new(at, _reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String
            ? _reader.ValueSpan.Length + 2 : (int)_reader.BytesConsumed - at);
    }

    private void Choices(string name, Found which)
    {
        if (!Twice(name, which) && Whole(name) is { } count)
            _choices = (int)Math.Max(_choices, Math.Min(count, int.MaxValue));
    }

    private long? Whole(string name)
    {
        _reader.Read();
        if (_reader.TokenType is JsonTokenType.Null)
            return null;
        if (_reader.TokenType is JsonTokenType.Number && _reader.TryGetInt64(out var number)
            && number is >= 1 and <= int.MaxValue)
            return number;
        _fault = Fault.Invalid($"The field {name} is not a whole number from 1 to {int.MaxValue}.");
        return null;
    }

    private void Tools()
    {
        if (Twice("tools", Found.Tools))
            return;
        _reader.Read();
        var at = _reader.TokenStartIndex;
        if (_reader.TokenType is not (JsonTokenType.StartArray or JsonTokenType.Null))
        {
            _fault = Fault.Invalid("The field tools is not a list.");
            return;
        }

        var isList = _reader.TokenType is JsonTokenType.StartArray;
        while (isList && _reader.Read() && _reader.TokenType is not JsonTokenType.EndArray && _fault is null)
        {
            if (_reader.TokenType is not JsonTokenType.StartObject)
                _fault = Fault.Invalid("A member of tools is not an object.");
            _reader.Skip();
        }

        _toolBytes = (int)(_reader.BytesConsumed - at);
    }

    private void Content(string name)
    {
        if (Twice(name, Found.Content))
            return;
        _reader.Read();
        if (_reader.TokenType is JsonTokenType.String && (_reader.ValueSpan.Length > 0 || _call is WireCall.Completion))
            return;
        if (_reader.TokenType is JsonTokenType.StartArray)
        {
            var members = 0;
            var kind = JsonTokenType.None;
            while (_reader.Read() && _reader.TokenType is not JsonTokenType.EndArray)
            {
                kind = members++ == 0 || kind == _reader.TokenType ? _reader.TokenType : JsonTokenType.Null;
                _reader.Skip();
            }

            // A list of tokens is one prompt; a list of texts or of such lists is several.
            Inputs(name, kind, kind is JsonTokenType.Number ? 1 : members);
            if (members > 0)
                return;
        }

        _fault = Fault.Invalid($"The field {name} is empty, or neither a text nor a list.");
    }

    private void Inputs(string name, JsonTokenType kind, int count)
    {
        _messages = count;
        _prompts = _call is WireCall.Completion ? count : 1;
        // A moderation's parts are objects.
        if (kind is not (JsonTokenType.String or JsonTokenType.StartArray or JsonTokenType.Number)
            && !(kind is JsonTokenType.StartObject && _call is WireCall.Moderation))
        {
            _fault = Fault.Invalid(
                $"The members of {name} are not alike: send texts, or tokens, or lists of tokens, one of them only.");
        }
        else if (_call is not WireCall.Completion && count > InputsMax)
        {
            _fault = Fault.Invalid(FormattableString.Invariant(
                $"The field {name} has {count} members; at most {InputsMax} are taken. Send several requests."));
        }
    }

    private void Messages()
    {
        if (Twice("messages", Found.Content))
            return;
        _reader.Read();
        if (_reader.TokenType is not JsonTokenType.StartArray)
        {
            _fault = Fault.Invalid("The field messages is not a list.");
            return;
        }

        while (_reader.Read() && _reader.TokenType is not JsonTokenType.EndArray && _fault is null)
        {
            if (_reader.TokenType is JsonTokenType.StartObject)
                Message();
            else
                _fault = Fault.Invalid(FormattableString.Invariant($"messages[{_messages}] is not an object."));
            _messages++;
        }

        if (_messages == 0)
            _fault ??= Fault.Invalid("The field messages is empty: send at least one message.");
    }

    private void Message()
    {
        var role = false;
        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName && _fault is null)
        {
            if (_reader.ValueTextEquals("role"u8))
            {
                _reader.Read();
                role = IsRole();
            }
            else if (_reader.ValueTextEquals("content"u8))
                Parts();
            else
                _reader.Skip();
        }

        if (!role)
        {
            _fault ??= Fault.Invalid(FormattableString.Invariant($"messages[{_messages}].role is not one of ")
                + "system, developer, user, assistant, tool, function.");
        }
    }

    private readonly bool IsRole() => _reader.TokenType is JsonTokenType.String
        && Encoding.UTF8.GetString(_reader.ValueSpan) is "system" or "developer" or "user" or "assistant" or "tool"
            or "function";

    /// <summary>A text, or parts of which some are no text.</summary>
    private void Parts()
    {
        _reader.Read();
        if (_reader.TokenType is not JsonTokenType.StartArray)
        {
            if (_reader.TokenType is JsonTokenType.StartObject)
                _fault = Fault.Invalid(FormattableString.Invariant($"messages[{_messages}].content is an object."));
            return;
        }

        while (_reader.Read() && _reader.TokenType is not JsonTokenType.EndArray)
        {
            if (_reader.TokenType is not JsonTokenType.StartObject)
                continue;
            Part();
        }
    }

    private void Part()
    {
        var (isText, encoded) = (false, 0);
        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
        {
            if (_reader.ValueTextEquals("type"u8))
            {
                _reader.Read();
                isText = _reader.TokenType is JsonTokenType.String
                    && (_reader.ValueTextEquals("text"u8) || _reader.ValueTextEquals("refusal"u8));
            }
            else if (_reader.ValueTextEquals("image_url"u8) || _reader.ValueTextEquals("input_audio"u8)
                || _reader.ValueTextEquals("file"u8))
                encoded += Encoded();
            else
                _reader.Skip();
        }

        (_attachments, _attachmentBytes) = isText ? (_attachments, _attachmentBytes)
            : (_attachments + 1, _attachmentBytes + encoded);
    }

    /// <summary>Bytes of an attachment that is in the body itself.</summary>
    private int Encoded()
    {
        _reader.Read();
        if (_reader.TokenType is JsonTokenType.String)
            return DataUrl();
        if (_reader.TokenType is not JsonTokenType.StartObject)
        {
            _reader.Skip();
            return 0;
        }

        var bytes = 0;
        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
        {
            var isUrl = _reader.ValueTextEquals("url"u8);
            var isData = _reader.ValueTextEquals("data"u8) || _reader.ValueTextEquals("file_data"u8);
            _reader.Read();
            if (_reader.TokenType is JsonTokenType.String)
                bytes += isUrl ? DataUrl() : isData ? _reader.ValueSpan.Length : 0;
            else
                _reader.Skip();
        }

        return bytes;
    }

    private readonly int DataUrl() =>
        _reader.ValueSpan.StartsWith("data:"u8) ? _reader.ValueSpan.Length : 0;

    private bool Twice(string name, Found which)
    {
        if (_found.HasFlag(which))
            _fault = Fault.Invalid($"The field {name} stands twice in the request.");
        _found |= which;
        return _fault is not null;
    }
}

using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Spillway.Engine.Gateway;

/// <summary>
/// Walks through one object of an answer and puts every text that the model wrote through its rules. Whatever stands in
/// a delta or a message and is no mark is a text: also under names yet to come. This file is long because every part of
/// an answer is walked through in it.
/// </summary>
internal ref struct GuardedEvent
{
    private const int HeadMax = 4096;

    private readonly AnswerGuard _guard;
    private readonly BodyEdits _edits;
    private readonly ReadOnlySpan<byte> _json;
    private readonly ArrayBufferWriter<byte> _head = new(256);
    private readonly List<PathStep> _path = [];
    private readonly List<(GuardedText Text, int Edit)> _here = [];
    private Utf8JsonReader _reader;
    private GuardedChoice? _choice;
    private readonly bool _hidesUsage;
    private bool _isAtomic;
    private bool _held;
    private bool _says;

    /// <summary>Begins with an object that was read before.</summary>
    /// <param name="guard">Whose answer it is.</param>
    /// <param name="edits">Takes what changes.</param>
    /// <param name="json">The object.</param>
    /// <param name="hidesUsage">Whether its usage is not sent.</param>
    public GuardedEvent(AnswerGuard guard, BodyEdits edits, ReadOnlySpan<byte> json, bool hidesUsage)
    {
        (_guard, _edits, _hidesUsage) = (guard, edits, hidesUsage);
        _json = json;
        _reader = new(json, new JsonReaderOptions { MaxDepth = AnswerScan.DepthMax });
    }

    /// <summary>What was held back of choices that have their end here.</summary>
    public List<(int Choice, GuardedText Text, string Tail)> Tails { get; } = [];

    /// <summary>Whether something that the model wrote is given, or a choice has its end.</summary>
    public bool HasContent { get; private set; }

    /// <summary>It has more texts than are looked into.</summary>
    public bool IsTooMuch { get; private set; }

    /// <summary>How many lists of probabilities are left out.</summary>
    public int Withheld { get; private set; }

    /// <summary>Characters of texts that came with it.</summary>
    public int Came { get; private set; }

    /// <summary>Characters that are held back no more, masked ones included.</summary>
    public int Given { get; private set; }

    /// <summary>All that it has to say is held back: there is nothing to send.</summary>
    public readonly bool IsSwallowed => _held && !_says;

    /// <summary>Members that all events of a stream share.</summary>
    public readonly ReadOnlySpan<byte> Head => _head.WrittenSpan;

    /// <summary>Walks.</summary>
    public void Run()
    {
        _reader.Read();
        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName && !IsTooMuch)
        {
            if (_reader.ValueTextEquals("choices"u8))
                Choices();
            else
                Other();
        }
    }

    private void Other()
    {
        var isHead = Is("id"u8, "object"u8) || Is("created"u8, "model"u8)
            || _reader.ValueTextEquals("system_fingerprint"u8);
        _says |= !_hidesUsage && _reader.ValueTextEquals("usage"u8) && IsSaid();
        var at = (int)_reader.TokenStartIndex;
        _reader.Skip();
        var length = (int)_reader.BytesConsumed - at;
        if (!isHead || _head.WrittenCount + length > HeadMax)
            return;
        _head.Write(_json.Slice(at, length));
        _head.Write(","u8);
    }

    /// <summary>Whether the member's value is not null.</summary>
    private readonly bool IsSaid()
    {
        var ahead = _reader;
        return ahead.Read() && ahead.TokenType is not JsonTokenType.Null;
    }

    private void Choices()
    {
        _reader.Read();
        if (_reader.TokenType is not JsonTokenType.StartArray)
        {
            _reader.Skip();
            return;
        }

        while (_reader.Read() && _reader.TokenType is not JsonTokenType.EndArray)
        {
            if (_reader.TokenType is JsonTokenType.StartObject && !IsTooMuch)
                Choice();
            else
                _reader.Skip();
        }
    }

    private void Choice()
    {
        var (index, reason) = Ahead();
        _choice = _guard.Choice(index);
        _here.Clear();
        if (_choice is null)
        {
            IsTooMuch = true;
            _reader.Skip();
            return;
        }

        while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
            Member();
        if (reason.Length > 0 || !_guard.IsStream)
            End(index, reason);
    }

    /// <summary>The choice's number, and why it ends; empty while it does not.</summary>
    private readonly (int Index, string Reason) Ahead()
    {
        var ahead = _reader;
        var (index, reason) = (0, "");
        while (ahead.Read() && ahead.TokenType is JsonTokenType.PropertyName)
        {
            var isIndex = ahead.ValueTextEquals("index"u8);
            var isReason = ahead.ValueTextEquals("finish_reason"u8);
            ahead.Read();
            if (isIndex && ahead.TokenType is JsonTokenType.Number && ahead.TryGetInt32(out var number))
                index = number;
            else if (isReason && ahead.TokenType is JsonTokenType.String)
                reason = JsonChars.Read(ahead.ValueSpan, ahead.ValueIsEscaped);
            else
                ahead.Skip();
        }

        return (index, reason);
    }

    private void Member()
    {
        var isMessage = _reader.ValueTextEquals("message"u8);
        if (isMessage || Is("delta"u8, "text"u8))
        {
            var name = _reader.GetString();
            // A message is whole, also in an event.
            _isAtomic = isMessage || !_guard.IsStream;
            _path.Add(new(name));
            Value();
            _path.Clear();
        }
        else if (_reader.ValueTextEquals("logprobs"u8) && _guard.Changes && IsSaid())
            Withhold();
        else
            _reader.Skip();
    }

    /// <summary>The tokens one by one would tell what was masked, and do not fit what is held back.</summary>
    private void Withhold()
    {
        _reader.Read();
        var at = (int)_reader.TokenStartIndex;
        _reader.Skip();
        Withheld++;
        _edits.Add(at, (int)_reader.BytesConsumed - at, null);
    }

    private void Value()
    {
        _reader.Read();
        switch (_reader.TokenType)
        {
            case JsonTokenType.String:
                Text();
                break;
            case JsonTokenType.StartObject:
                while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
                    Property();
                break;
            case JsonTokenType.StartArray:
                Items();
                break;
            default:
                break;
        }
    }

    private void Property()
    {
        if (IsMark())
        {
            // Some servers repeat the role in every event.
            _says |= _reader.ValueTextEquals("id"u8) || (_reader.ValueTextEquals("role"u8) && _choice!.IsNewRole());
            _reader.Skip();
            return;
        }

        var (wasAtomic, name) = (_isAtomic, _reader.GetString()!);
        // A name comes whole, and so do notes about sources.
        _isAtomic |= name is "name" or "annotations";
        _path.Add(new(name));
        Value();
        _path.RemoveAt(_path.Count - 1);
        _isAtomic = wasAtomic;
    }

    /// <summary>What the server writes, and data that is no text.</summary>
    private readonly bool IsMark() => Is("role"u8, "type"u8) || Is("id"u8, "index"u8)
        || Is("obfuscation"u8, "signature"u8) || Is("data"u8, "encrypted_content"u8) || Is("format"u8, "expires_at"u8);

    private void Items()
    {
        var depth = _reader.CurrentDepth;
        for (var place = 0; ; place++)
        {
            var ahead = _reader;
            ahead.Read();
            if (ahead.TokenType is JsonTokenType.EndArray && ahead.CurrentDepth == depth)
            {
                _reader = ahead;
                return;
            }

            _path.Add(Item(ahead, place));
            Value();
            _path.RemoveAt(_path.Count - 1);
        }
    }

    /// <summary>An item is known by its own index, or else by its place.</summary>
    private static PathStep Item(Utf8JsonReader ahead, int place)
    {
        var (index, type) = (-1, "");
        if (ahead.TokenType is not JsonTokenType.StartObject)
            return new(null, -2 - place);
        while (ahead.Read() && ahead.TokenType is JsonTokenType.PropertyName)
        {
            var isIndex = ahead.ValueTextEquals("index"u8);
            var isType = ahead.ValueTextEquals("type"u8);
            ahead.Read();
            if (isIndex && ahead.TokenType is JsonTokenType.Number && ahead.TryGetInt32(out var number))
                index = Math.Max(0, number);
            else if (isType && ahead.TokenType is JsonTokenType.String && ahead.ValueSpan.Length < 64)
                type = JsonChars.Read(ahead.ValueSpan, ahead.ValueIsEscaped);
            else
                ahead.Skip();
        }

        return new(null, index >= 0 ? index : -2 - place, type);
    }

    private void Text()
    {
        var at = (int)_reader.TokenStartIndex;
        var length = (int)_reader.BytesConsumed - at;
        var piece = JsonChars.Read(_reader.ValueSpan, _reader.ValueIsEscaped);
        if ((_isAtomic ? _choice!.Once(_path) : _choice!.Find(Key(), _path)) is not { } text)
        {
            IsTooMuch = true;
            return;
        }

        var held = text.Held;
        var given = _choice.Take(text, piece, _isAtomic);
        Came += piece.Length;
        Given += piece.Length + held - text.Held;
        _held |= piece.Length > 0 && given.Length == 0;
        _says |= given.Length > 0;
        HasContent |= given.Length > 0;
        if (given == piece && piece.Length == 0)
            return;
        if (!_isAtomic)
            _here.Add((text, _edits.Count));
        if (given != piece || !_isAtomic)
            _edits.Add(at, length, given);
    }

    private readonly string Key()
    {
        if (_path is [_, { Name: { } name }])
            return _path[0].Name + "/" + name;
        return string.Join('/', _path.Select(s => s.Name ?? s.Index.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>The choice has its end: everything that is held back of it goes out.</summary>
    private void End(int index, string reason)
    {
        (HasContent, _says) = (true, true);
        foreach (var text in _choice!.Texts)
        {
            Given += text.Held;
            var tail = _choice.Take(text, "", isEnd: true);
            if (tail.Length == 0)
                continue;
            var here = _here.FindLastIndex(h => h.Text == text);
            if (here >= 0)
                _edits.Change(_here[here].Edit, _edits.TextOf(_here[here].Edit) + tail);
            else
                Tails.Add((index, text, tail));
        }

        _choice.End(reason);
        if (!_guard.IsStream && _choice.Refused is null)
            _guard.Forget(index);
    }

    private readonly bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> other) =>
        _reader.ValueTextEquals(name) || _reader.ValueTextEquals(other);
}

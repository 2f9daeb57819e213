using System.Buffers;
using Spillway.Policies.Content;

namespace Spillway.Engine.Gateway;

/// <summary>
/// Holds an answer to its route's rules on its way to the caller. Of a stream it forwards what no match can reach any
/// more; what is held back at the end of a choice goes out before the event that ends it. Memory: what is held back,
/// for each text of each choice. One for each attempt.
/// </summary>
/// <param name="rules">The rules.</param>
/// <param name="log">Told of each match.</param>
/// <param name="isStream">Whether the answer comes in events.</param>
internal sealed class AnswerGuard(ContentRules rules, ContentLog log, bool isStream)
{
    private const int ChoicesMax = 128;

    private readonly SortedDictionary<int, GuardedChoice> _choices = [];
    private readonly BodyEdits _edits = new();
    private readonly ArrayBufferWriter<byte> _out = new(1024);
    private byte[] _head = [];
    private long _came;
    private long _given;

    /// <summary>Whether any rule may change what is sent; else everything passes as it came.</summary>
    public bool Changes => rules.Changes;

    /// <summary>Whether the answer comes in events.</summary>
    public bool IsStream => isStream;

    /// <summary>What to send for the object that was taken last.</summary>
    public ReadOnlySpan<byte> Out => _out.WrittenSpan;

    /// <summary>Whether a text of it is not as it came.</summary>
    public bool IsChanged { get; private set; }

    /// <summary>Whether that has something that the model wrote, or an end.</summary>
    public bool HasContent { get; private set; }

    /// <summary>Characters that are held back of all choices together.</summary>
    public int Held => _choices.Values.Sum(c => c.Held);

    /// <summary>Which part of the model's texts is given: 1 for all, masked ones included.</summary>
    public double GivenShare => _came == 0 ? 1 : (double)_given / _came;

    /// <summary>Takes one object of the answer: an event's data, or the whole. Null, or why it is refused.</summary>
    /// <param name="json">It was read before, and is well formed.</param>
    /// <param name="without">What is left out of it; a length of 0 for nothing.</param>
    public Fault? Take(ReadOnlySpan<byte> json, (int At, int Length) without)
    {
        _out.ResetWrittenCount();
        _edits.Clear();
        var walk = new GuardedEvent(this, _edits, json, hidesUsage: without.Length > 0);
        walk.Run();
        _came += walk.Came;
        if (walk.IsTooMuch)
            return new(FaultKind.AnswerUnfit, "The answer has more texts than rules over content are asked about.");
        if (Refused() is { } rule)
            return log.RefuseAnswer(rule);
        _given += walk.Given;
        (HasContent, IsChanged) = (walk.HasContent, _edits.Count > walk.Withheld);
        if (walk.Withheld > 0 && (isStream || IsChanged))
            log.Withheld();
        if (!isStream)
        {
            _edits.Write(json, without, _out);
            return null;
        }

        // The first event of some servers has no names yet.
        if (!walk.Head.SequenceEqual(_head))
            _head = walk.Head.ToArray();
        foreach (var (choice, text, tail) in walk.Tails)
            Tail(choice, text, tail);
        if (walk.IsSwallowed)
            return null;
        _out.Write("data: "u8);
        _edits.Write(json, without, _out);
        _out.Write("\n\n"u8);
        return null;
    }

    /// <summary>The stream is over: what is held back of choices that never had an end.</summary>
    public Fault? End()
    {
        _out.ResetWrittenCount();
        foreach (var (index, choice) in _choices)
        {
            foreach (var text in choice.Texts)
            {
                if (choice.Take(text, "", isEnd: true) is { Length: > 0 } tail)
                    Tail(index, text, tail);
            }

            choice.End("stop");
        }

        if (Refused() is { } rule)
            return log.RefuseAnswer(rule);
        _given = _came;
        return null;
    }

    /// <summary>A choice; null when there are too many.</summary>
    public GuardedChoice? Choice(int index)
    {
        if (_choices.TryGetValue(index, out var known))
            return known;
        if (_choices.Count == ChoicesMax)
            return null;
        return _choices[index] = new(rules, log);
    }

    /// <summary>A choice of a whole answer was looked at; another one under its number begins anew.</summary>
    public void Forget(int index) => _choices.Remove(index);

    private ContentRule? Refused()
    {
        foreach (var choice in _choices.Values)
        {
            if (choice.Refused is { } rule && rules.Changes)
                return rule;
        }

        return null;
    }

    private void Tail(int choice, GuardedText text, string tail) =>
        TailEvent.Write(_head, choice, text.Path, tail, _out);
}

using System.Text;

namespace Spillway.Policies.Content;

/// <summary>
/// One text under rules, in pieces: gives of each piece what no match can reach any more, with masks in place. What it
/// gives altogether depends on the text alone and not on how it was cut. Holds back at most
/// <see cref="ContentRules.HoldCharsMax"/> characters. One owner.
/// </summary>
/// <param name="rules">The rules.</param>
/// <param name="found">Told of each match.</param>
internal sealed class ContentText(ContentRules rules, Action<ContentRule> found)
{
    private readonly int[] _fronts = new int[rules.Scans.Count];
    private readonly List<Region> _regions = [];
    private readonly List<(int At, int Length)> _matches = [];
    private char[] _text = [];
    private int _length;
    private int _given;
    private int _maskedTo;

    /// <summary>Characters that are held back.</summary>
    public int Held => Math.Max(0, _length - _given);

    /// <summary>The rule that refuses it; null for none. Then it gives nothing more.</summary>
    public ContentRule? Refused { get; private set; }

    /// <summary>Takes a piece and gives what is decided.</summary>
    /// <param name="piece">UTF-16; a surrogate pair may be cut.</param>
    /// <param name="isEnd">Whether nothing follows: then everything is given.</param>
    /// <param name="into">Takes it.</param>
    public void Take(ReadOnlySpan<char> piece, bool isEnd, StringBuilder into)
    {
        Add(piece);
        for (var i = 0; i < _fronts.Length && Refused is null; i++)
            Scan(i, isEnd);
        if (Refused is not null)
            return;
        Give(isEnd ? _length : Decided(), isEnd, into);
        Forget();
    }

    private void Add(ReadOnlySpan<char> piece)
    {
        if (_length + piece.Length > _text.Length)
            Array.Resize(ref _text, Math.Max(256, Math.Max(2 * _text.Length, _length + piece.Length)));
        piece.CopyTo(_text.AsSpan(_length));
        _length += piece.Length;
    }

    private void Scan(int index, bool isEnd)
    {
        var (matcher, rule) = rules.Scans[index];
        _matches.Clear();
        _fronts[index] = matcher.Scan(_text.AsSpan(0, _length), _fronts[index], isEnd, _matches);
        foreach (var (at, length) in _matches)
        {
            found(rule);
            if (rule.Do is ContentAction.Refuse)
            {
                Refused = rule;
                return;
            }

            if (rule.Do is ContentAction.Mask)
                Insert(new(at, at + length, index));
        }
    }

    /// <summary>By where they start; of those that start together the rule that was declared first.</summary>
    private void Insert(Region region)
    {
        var at = _regions.Count;
        while (at > 0 && (_regions[at - 1].Start, _regions[at - 1].Scan).CompareTo((region.Start, region.Scan)) > 0)
            at--;
        _regions.Insert(at, region);
    }

    private int Decided()
    {
        var least = _length;
        for (var i = 0; i < _fronts.Length; i++)
        {
            if (rules.Scans[i].Rule.Do is not ContentAction.Note)
                least = Math.Min(least, _fronts[i]);
        }

        return least;
    }

    private void Give(int decided, bool isEnd, StringBuilder into)
    {
        while (_given < decided)
        {
            // The other half of a character of which a match had the first.
            if (_given == _maskedTo && _given > 0 && IsPair(_given))
            {
                _given++;
                continue;
            }

            if (_regions.Count > 0 && _regions[0].Start < decided)
            {
                var start = IsPair(_regions[0].Start) ? _regions[0].Start - 1 : _regions[0].Start;
                if (start <= _given)
                    Mask(into);
                else
                    Append(start, into);
                continue;
            }

            var end = decided - (EndsInPair(decided, isEnd) ? 1 : 0);
            if (end <= _given)
                return;
            Append(end, into);
        }
    }

    /// <summary>Whether half a character would be given there, of which the other half may come.</summary>
    private bool EndsInPair(int at, bool isEnd) =>
        char.IsHighSurrogate(_text[at - 1]) && (at < _length ? IsPair(at) : !isEnd);

    /// <summary>The first region: its mask, unless it overlaps what was masked before it.</summary>
    private void Mask(StringBuilder into)
    {
        var region = _regions[0];
        _regions.RemoveAt(0);
        if (region.Start >= _maskedTo)
            into.Append(rules.Scans[region.Scan].Rule.Mask);
        _given = _maskedTo = Math.Max(_given, region.End);
    }

    private void Append(int end, StringBuilder into)
    {
        into.Append(_text, _given, end - _given);
        _given = end;
    }

    /// <summary>Whether the place is in the middle of a surrogate pair.</summary>
    private bool IsPair(int at) => at > 0 && at < _length
        && char.IsLowSurrogate(_text[at]) && char.IsHighSurrogate(_text[at - 1]);

    private void Forget()
    {
        var gone = Math.Min(_given, _length);
        foreach (var front in _fronts)
            gone = Math.Min(gone, front);
        gone -= ContentMatcher.Context;
        if (gone <= 0)
            return;
        _text.AsSpan(gone.._length).CopyTo(_text);
        (_length, _given, _maskedTo) = (_length - gone, _given - gone, Math.Max(0, _maskedTo - gone));
        for (var i = 0; i < _fronts.Length; i++)
            _fronts[i] -= gone;
        for (var i = 0; i < _regions.Count; i++)
            _regions[i] = _regions[i] with { Start = _regions[i].Start - gone, End = _regions[i].End - gone };
    }

    private readonly record struct Region(int Start, int End, int Scan);
}

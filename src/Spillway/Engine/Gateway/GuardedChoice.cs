using System.Text;
using Spillway.Policies.Content;

namespace Spillway.Engine.Gateway;

/// <summary>
/// One choice of an answer under rules: each of its texts by itself (content, reasoning, the arguments of each call of
/// a tool), its length, and what is judged at its end. One owner.
/// </summary>
/// <param name="rules">The rules.</param>
/// <param name="log">Told of each match.</param>
internal sealed class GuardedChoice(ContentRules rules, ContentLog log)
{
    /// <summary>Texts of one choice at most: an answer with more is refused by whoever asks for one more.</summary>
    public const int TextsMax = 256;

    /// <summary>The longest text that a schema is held against.</summary>
    private const int JudgedCharsMax = 64 * 1024;

    private readonly Dictionary<string, GuardedText> _texts = [];
    private readonly StringBuilder? _whole = rules.Schemas.Count > 0 ? new() : null;
    private long _chars;
    private bool _hasRole;
    private bool _isEnded;

    /// <summary>The rule that refuses the answer; null for none.</summary>
    public ContentRule? Refused { get; private set; }

    /// <summary>Its texts, in the order in which they began.</summary>
    public IEnumerable<GuardedText> Texts => _texts.Values;

    /// <summary>Characters that are held back.</summary>
    public int Held => _texts.Values.Sum(t => t.Held);

    /// <summary>The text at a place; null when there are too many.</summary>
    public GuardedText? Find(string key, IReadOnlyList<PathStep> path)
    {
        if (_texts.TryGetValue(key, out var known))
            return known;
        if (_texts.Count == TextsMax)
            return null;
        var text = new GuardedText(rules, log.OfAnswer, [.. path]);
        _texts.Add(key, text);
        return text;
    }

    /// <summary>A text that is there as a whole.</summary>
    public GuardedText Once(IReadOnlyList<PathStep> path) => new(rules, log.OfAnswer, [.. path]);

    /// <summary>Whether its role was not told before; it is now.</summary>
    public bool IsNewRole()
    {
        var isNew = !_hasRole;
        _hasRole = true;
        return isNew;
    }

    /// <summary>A piece of one of its texts; gives what is decided.</summary>
    /// <param name="text">Which.</param>
    /// <param name="piece">What came.</param>
    /// <param name="isEnd">Whether that text has its end.</param>
    public string Take(GuardedText text, string piece, bool isEnd)
    {
        _isEnded &= piece.Length == 0;
        if (text.IsContent)
            Gather(piece);
        Measure(piece.Length);
        if (Refused is not null)
            return "";
        var given = text.Take(piece, isEnd);
        Refused = text.Refused;
        return Refused is null ? given : "";
    }

    /// <summary>
    /// It has its end: what is judged as a whole is judged, once. Some servers say it again; what they write behind it
    /// begins anew.
    /// </summary>
    /// <param name="reason">Why it ended.</param>
    public void End(string reason)
    {
        if (!_isEnded && Refused is null)
            Judge(reason);
        _isEnded = true;
        _texts.Clear();
        _whole?.Clear();
    }

    private void Judge(string reason)
    {
        if (_whole is null || (_whole.Length == 0 && reason != "stop"))
            return;
        var whole = Encoding.UTF8.GetBytes(_whole.ToString());
        foreach (var rule in rules.Schemas)
        {
            if (_whole.Length <= JudgedCharsMax && rule.Schema!.Judge(whole) is null)
                continue;
            log.OfAnswer(rule);
            if (rule.Do is ContentAction.Refuse)
                Refused ??= rule;
        }
    }

    private void Gather(string piece)
    {
        // One character more is enough to know that it is too long.
        if (_whole is not null)
            _whole.Append(piece, 0, Math.Min(piece.Length, JudgedCharsMax + 1 - _whole.Length));
    }

    private void Measure(int chars)
    {
        var before = _chars;
        _chars += chars;
        foreach (var rule in rules.Lengths)
        {
            if (before > rule.CharsMax || _chars <= rule.CharsMax)
                continue;
            log.OfAnswer(rule);
            if (rule.Do is ContentAction.Refuse)
                Refused ??= rule;
        }
    }
}

/// <summary>One text of a choice, and where it stands.</summary>
/// <param name="rules">The rules.</param>
/// <param name="found">Told of each match.</param>
/// <param name="path">Where it stands in the choice.</param>
internal sealed class GuardedText(ContentRules rules, Action<ContentRule> found, PathStep[] path)
{
    private readonly ContentText _text = new(rules, found);
    private readonly StringBuilder _given = new();

    /// <summary>Where it stands in the choice.</summary>
    public IReadOnlyList<PathStep> Path => path;

    /// <summary>Whether it is the answer itself, and not reasoning or a call.</summary>
    public bool IsContent { get; } = path is [{ Name: "text" }] or [_, { Name: "content" }, ..];

    /// <summary>The rule that refuses it; null for none.</summary>
    public ContentRule? Refused => _text.Refused;

    /// <summary>Characters that are held back.</summary>
    public int Held => _text.Held;

    /// <summary>A piece of it; gives what is decided.</summary>
    public string Take(string piece, bool isEnd)
    {
        _given.Clear();
        _text.Take(piece, isEnd, _given);
        return _given.ToString();
    }
}

/// <summary>A step from a choice to one of its texts.</summary>
/// <param name="Name">The member's name; null for an item of a list.</param>
/// <param name="Index">The item's own index; negative where it has none.</param>
/// <param name="Type">The item's own type; empty where it has none.</param>
internal readonly record struct PathStep(string? Name, int Index = -1, string Type = "");

namespace Spillway.Policies.Content;

/// <summary>
/// Looks for words and phrases, in any case. A letter or digit right before or behind makes it a part of another word;
/// scripts without blanks between words have no such thing.
/// </summary>
internal sealed class WordMatcher : ContentMatcher
{
    private readonly Dictionary<char, string[]> _words;
    private readonly int _most;

    /// <summary>Of words that are not empty.</summary>
    public WordMatcher(IReadOnlyList<string> words)
    {
        // The longest first, so that what is found does not depend on their order.
        _words = words.Select(w => w.ToUpperInvariant()).Distinct().GroupBy(w => w[0])
            .ToDictionary(g => g.Key, g => g.OrderByDescending(w => w.Length).ToArray());
        _most = words.Max(w => w.Length);
    }

    /// <inheritdoc/>
    public override int HoldCharsMax => _most;

    /// <inheritdoc/>
    protected override int At(ReadOnlySpan<char> text, int at, bool isEnd)
    {
        if (!_words.TryGetValue(char.ToUpperInvariant(text[at]), out var words)
            || (at > 0 && IsOfWord(text[at]) && IsOfWord(text[at - 1])))
            return 0;
        foreach (var word in words)
        {
            if (Compare(text[at..], word, isEnd) is not 0 and var length)
                return length;
        }

        return 0;
    }

    private static int Compare(ReadOnlySpan<char> text, string word, bool isEnd)
    {
        for (var i = 0; i < word.Length; i++)
        {
            if (i == text.Length)
                return Ends(isEnd);
            if (char.ToUpperInvariant(text[i]) != word[i])
                return 0;
        }

        if (word.Length == text.Length)
            return isEnd ? word.Length : More;
        return IsOfWord(word[^1]) && IsOfWord(text[word.Length]) ? 0 : word.Length;
    }

    private static bool IsOfWord(char c) => c < '\u2E80' && char.IsLetterOrDigit(c);
}

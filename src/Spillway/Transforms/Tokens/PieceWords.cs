namespace Spillway.Transforms.Tokens;

/// <summary>How vocabularies of SentencePiece's kind are cut into words and merged.</summary>
internal static class PieceWords
{
    /// <summary>A word with the blanks before it: merging never crosses from a letter to a blank.</summary>
    public const string WithBlanks = "[ \u2581]*[^ \u2581]+|[ \u2581]+";

    /// <summary>A word with the one blank before it.</summary>
    public const string WithBlank = "[ \u2581][^ \u2581]*|[^ \u2581]+";

    /// <summary>
    /// Throws an <see cref="InvalidDataException"/> for a vocabulary whose words cannot be merged by themselves: one
    /// with a token of several words, or without one for a blank.
    /// </summary>
    public static void Check(Vocabulary vocabulary)
    {
        if (vocabulary.Find([CharacterWords.Blank]) < 0)
            throw new InvalidDataException("none of its tokens is a blank (U+2581)");
        foreach (var (text, id) in vocabulary.Tokens)
        {
            var word = text.AsSpan().TrimStart(CharacterWords.Blank);
            if (word.Contains(CharacterWords.Blank))
            {
                throw new InvalidDataException(
                    $"its token {id} has a blank behind a letter, so that texts cannot be counted word by word");
            }
        }
    }

    /// <summary>
    /// The pairs of a vocabulary that has a score for each token in place of a list of them: two neighbours that
    /// together are a token may merge, those of the highest score first.
    /// </summary>
    /// <param name="vocabulary">Characters that stand in tokens and are none get a number of their own.</param>
    /// <param name="scores">By id.</param>
    public static MergeTable Scored(Vocabulary vocabulary, IReadOnlyList<float> scores)
    {
        var tokens = vocabulary.Tokens;
        foreach (var (text, _) in tokens)
        {
            for (var i = 0; i < text.Length; i += Width(text, i))
                vocabulary.FindOrMake(text.AsSpan(i, Width(text, i)));
        }

        var (merges, rank, last) = (new MergeTable(), 0, float.NaN);
        foreach (var (text, id) in tokens.OrderByDescending(t => scores[t.Value]))
        {
            // Tokens of one score are of one rank: then the leftmost pair is first.
            rank += scores[id].Equals(last) ? 0 : 1;
            last = scores[id];
            for (var i = Width(text, 0); i < text.Length; i += Width(text, i))
            {
                if (vocabulary.Find(text.AsSpan(0, i)) is >= 0 and var left
                    && vocabulary.Find(text.AsSpan(i)) is >= 0 and var right)
                    merges.Add(left, right, rank, id);
            }
        }

        return merges;
    }

    private static int Width(string text, int at) =>
        at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
}

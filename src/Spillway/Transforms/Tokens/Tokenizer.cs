using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Spillway.Transforms.Tokens;

/// <summary>
/// Counts the tokens that a text has in a model's vocabulary, and the most that they can be wherever the text stands. A
/// chat template may join its own words to a text's first and last one, so those count by their bytes; a text with one
/// of the vocabulary's marks, or with characters whose cutting or composing is not certain here, counts by its bytes as
/// a whole. A token of such a vocabulary stands for one byte at least, so its bytes bound any text. Immutable,
/// thread-safe; counting allocates nothing, and takes time in proportion to the text.
/// </summary>
internal sealed class Tokenizer
{
    /// <summary>A word is found within microseconds; a pattern that takes longer than this is given up.</summary>
    private static readonly TimeSpan s_patternTime = TimeSpan.FromSeconds(1);

    private readonly Regex[] _patterns;
    private readonly WordCounter _words;
    private readonly SearchValues<string>? _marks;
    private readonly int _prefix;
    private readonly bool _composes;

    /// <summary>Makes one.</summary>
    /// <param name="patterns">What makes words, each in the words of the one before. An invalid one is an
    /// <see cref="InvalidDataException"/>.</param>
    /// <param name="words">Counts one.</param>
    public Tokenizer(IReadOnlyList<string> patterns, WordCounter words)
    {
        _patterns = [.. patterns.Select(Compile)];
        _words = words;
    }

    /// <summary>What it was read from, for people: "tiktoken", "tokenizer.json", "GGUF".</summary>
    public required string Format { get; init; }

    /// <summary>How many tokens it has.</summary>
    public required int Count { get; init; }

    /// <summary>Its marks: in a text they may be one token, and cut what stands beside them.</summary>
    public IReadOnlyCollection<string> Marks
    {
        init => _marks = value.Count == 0 ? null : SearchValues.Create([.. value], StringComparison.Ordinal);
    }

    /// <summary>Whether it may put a blank before a text.</summary>
    public bool HasPrefix
    {
        init => _prefix = value ? 1 : 0;
    }

    /// <summary>Whether it composes texts (NFC) first.</summary>
    public bool Composes
    {
        init => _composes = value;
    }

    /// <summary>Counts a text.</summary>
    public TokenCount CountOf(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
            return new(0, _prefix);
        long bytes = Encoding.UTF8.GetByteCount(text);
        var most = (_composes && !ComposedText.IsSure(text) ? bytes * ComposedText.GrowthMax : bytes) + _prefix;
        try
        {
            var sum = TextShape.IsSame(text) ? Walk(text) : WalkShape(text);
            return new(sum.Tokens, IsOdd(text) ? most : Math.Min(sum.AtMost + _prefix, most));
        }
        catch (RegexMatchTimeoutException)
        {
            return new((bytes + 3) / 4, most);
        }
    }

    private TokenCount Walk(ReadOnlySpan<char> text)
    {
        var sum = new WordSum(_words, text, []);
        Split(text, 0, 0, ref sum);
        return sum.End();
    }

    private TokenCount WalkShape(ReadOnlySpan<char> text)
    {
        var shape = ArrayPool<char>.Shared.Rent(text.Length);
        var starts = ArrayPool<int>.Shared.Rent(text.Length + 1);
        try
        {
            var length = TextShape.Write(text, shape, starts);
            var sum = new WordSum(_words, text, starts);
            Split(shape.AsSpan(0, length), 0, 0, ref sum);
            return sum.End();
        }
        finally
        {
            ArrayPool<char>.Shared.Return(shape);
            ArrayPool<int>.Shared.Return(starts);
        }
    }

    private void Split(ReadOnlySpan<char> text, int at, int stage, ref WordSum sum)
    {
        if (stage == _patterns.Length)
        {
            sum.Take(at, at + text.Length);
            return;
        }

        var from = 0;
        foreach (var match in _patterns[stage].EnumerateMatches(text))
        {
            if (match.Length == 0)
                continue;
            if (match.Index > from)
                Split(text[from..match.Index], at + from, stage + 1, ref sum);
            Split(text.Slice(match.Index, match.Length), at + match.Index, stage + 1, ref sum);
            from = match.Index + match.Length;
        }

        if (from < text.Length)
            Split(text[from..], at + from, stage + 1, ref sum);
    }

    /// <summary>Marks, two letters that some take for s and k in any case, and what composing may change.</summary>
    private bool IsOdd(ReadOnlySpan<char> text) =>
        (_marks is not null && text.ContainsAny(_marks)) || text.ContainsAny('\u017F', '\u212A')
        || (_composes && !ComposedText.IsSure(text));

    private static Regex Compile(string pattern)
    {
        try
        {
            return new(pattern, RegexOptions.Compiled | RegexOptions.CultureInvariant, s_patternTime);
        }
        catch (ArgumentException broken)
        {
            throw new InvalidDataException($"the pattern of its words is not understood ({broken.Message})", broken);
        }
    }

    /// <summary>What the words of a text sum up to.</summary>
    private ref struct WordSum(WordCounter words, ReadOnlySpan<char> text, ReadOnlySpan<int> starts)
    {
        private readonly ReadOnlySpan<char> _text = text;
        private readonly ReadOnlySpan<int> _starts = starts;
        private long _tokens;
        private long _most;
        private int _count;
        private (long Most, long Bytes) _last;

        /// <summary>A word, between two places of the shape.</summary>
        public void Take(int from, int to)
        {
            var word = _starts.IsEmpty ? _text[from..to] : _text[_starts[from].._starts[to]];
            var tokens = words.Count(word, out var isWhole);
            long bytes = Encoding.UTF8.GetByteCount(word);
            _tokens += tokens;
            _most += _last.Most;
            _last = (_count++ == 0 || !isWhole ? bytes : tokens, bytes);
        }

        /// <summary>There are no more.</summary>
        public readonly TokenCount End() => new(_tokens, _most + _last.Bytes);
    }
}

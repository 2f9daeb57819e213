namespace Spillway.Transforms.Tokens;

/// <summary>
/// Merges the symbols of one word until no two neighbours are a pair: the pair of the lowest rank first, of equal ones
/// the leftmost. Time grows with the square of the word, so words have a bound; nothing is allocated.
/// </summary>
internal static class Merger
{
    /// <summary>The longest word that is merged, in symbols; the longest English word has 45 letters.</summary>
    public const int SymbolsMax = 512;

    /// <summary>Merges in place; how many symbols are left at the front.</summary>
    /// <param name="symbols">Up to <see cref="SymbolsMax"/>; a negative one merges with nothing.</param>
    /// <param name="merges">The pairs.</param>
    public static int Merge(Span<int> symbols, MergeTable merges)
    {
        if (symbols.Length < 2)
            return symbols.Length;
        Span<long> pairs = stackalloc long[SymbolsMax];
        for (var i = 0; i + 1 < symbols.Length; i++)
            pairs[i] = merges.Find(symbols[i], symbols[i + 1]);
        var count = symbols.Length;
        while (true)
        {
            var at = Lowest(pairs[..(count - 1)]);
            if (at < 0)
                return count;
            symbols[at] = (int)pairs[at];
            symbols[(at + 2)..count].CopyTo(symbols[(at + 1)..]);
            pairs[(at + 1)..(count - 1)].CopyTo(pairs[at..]);
            count--;
            if (at > 0)
                pairs[at - 1] = merges.Find(symbols[at - 1], symbols[at]);
            if (at < count - 1)
                pairs[at] = merges.Find(symbols[at], symbols[at + 1]);
        }
    }

    private static int Lowest(ReadOnlySpan<long> pairs)
    {
        var (at, rank) = (-1, long.MaxValue >> 32);
        for (var i = 0; i < pairs.Length; i++)
        {
            if (pairs[i] >> 32 >= rank)
                continue;
            (at, rank) = (i, pairs[i] >> 32);
        }

        return at;
    }
}

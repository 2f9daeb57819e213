using System.Text;

namespace Spillway.Transforms.Tokens;

/// <summary>Counts the tokens of one word. Immutable, thread-safe, 0 B.</summary>
internal abstract class WordCounter
{
    /// <summary>Characters of a part that is counted at once: its UTF-8 has no more bytes than a word that is merged
    /// may have symbols.</summary>
    private const int PartChars = Merger.SymbolsMax / 3;

    /// <summary>Tokens of a word; of one that is too long to be merged those of its parts.</summary>
    /// <param name="word">What the vocabulary's pattern makes one.</param>
    /// <param name="isWhole">Whether it was counted as one: only then the number is what the model sees.</param>
    public int Count(ReadOnlySpan<char> word, out bool isWhole)
    {
        isWhole = word.Length <= PartChars;
        var tokens = 0;
        while (word.Length > PartChars)
        {
            var part = char.IsHighSurrogate(word[PartChars - 1]) ? PartChars - 1 : PartChars;
            tokens += OfPart(word[..part]);
            word = word[part..];
        }

        return tokens + OfPart(word);
    }

    /// <summary>Tokens of at most <see cref="PartChars"/> characters.</summary>
    protected abstract int OfPart(ReadOnlySpan<char> part);
}

/// <summary>A word's bytes are its first symbols: GPT's vocabularies, and whatever learned from them.</summary>
/// <param name="vocabulary">Its tokens, in letters of <see cref="ByteAlphabet"/>.</param>
/// <param name="merges">Its pairs.</param>
/// <param name="hasWholeWords">Whether a word that is a token is one, whatever merging would make of it.</param>
internal sealed class ByteWords(Vocabulary vocabulary, MergeTable merges, bool hasWholeWords) : WordCounter
{
    private readonly int[] _symbols =
        [.. Enumerable.Range(0, 256).Select(b => vocabulary.Find([ByteAlphabet.Of((byte)b)]))];

    protected override int OfPart(ReadOnlySpan<char> part)
    {
        Span<byte> bytes = stackalloc byte[Merger.SymbolsMax];
        bytes = bytes[..Encoding.UTF8.GetBytes(part, bytes)];
        if (bytes.Length < 2)
            return bytes.Length;
        Span<int> symbols = stackalloc int[Merger.SymbolsMax];
        if (hasWholeWords && IsToken(bytes))
            return 1;
        for (var i = 0; i < bytes.Length; i++)
            symbols[i] = _symbols[bytes[i]];
        return Merger.Merge(symbols[..bytes.Length], merges);
    }

    private bool IsToken(ReadOnlySpan<byte> bytes)
    {
        Span<char> letters = stackalloc char[Merger.SymbolsMax];
        for (var i = 0; i < bytes.Length; i++)
            letters[i] = ByteAlphabet.Of(bytes[i]);
        return vocabulary.Find(letters[..bytes.Length]) >= 0;
    }
}

/// <summary>
/// A word's characters are its first symbols, blanks written as U+2581, and what is not known becomes bytes:
/// SentencePiece's byte-pair encoding.
/// </summary>
/// <param name="vocabulary">Its tokens.</param>
/// <param name="merges">Its pairs.</param>
internal sealed class CharacterWords(Vocabulary vocabulary, MergeTable merges) : WordCounter
{
    /// <summary>How a blank is written.</summary>
    public const char Blank = '\u2581';

    protected override int OfPart(ReadOnlySpan<char> part)
    {
        Span<int> symbols = stackalloc int[Merger.SymbolsMax];
        var count = 0;
        while (!part.IsEmpty)
        {
            var length = part.Length > 1 && char.IsSurrogatePair(part[0], part[1]) ? 2 : 1;
            var symbol = part[0] == ' ' ? vocabulary.Find([Blank]) : vocabulary.Find(part[..length]);
            symbols[count++] = symbol >= 0 ? symbol : -Encoding.UTF8.GetByteCount(part[..length]);
            part = part[length..];
        }

        var tokens = 0;
        foreach (var symbol in symbols[..Merger.Merge(symbols[..count], merges)])
            tokens += vocabulary.TokensOf(symbol);
        return tokens;
    }
}

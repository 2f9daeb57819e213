using System.Buffers;
using System.Buffers.Text;
using System.Globalization;

namespace Spillway.Transforms.Tokens;

/// <summary>
/// Reads tiktoken's files: a line for each token, its bytes in base64 and its rank. Two neighbours whose bytes together
/// are a token may merge, those of the lowest rank first.
/// </summary>
internal static class TiktokenTokenizer
{
    /// <summary>What all marks of these vocabularies begin with; the files do not list them.</summary>
    private const string Mark = "<|";

    /// <summary>Reads one; what is wrong with it is an <see cref="InvalidDataException"/>.</summary>
    /// <param name="file">All of it.</param>
    /// <param name="pattern">What makes words.</param>
    public static Tokenizer Read(ReadOnlySpan<byte> file, string pattern)
    {
        var vocabulary = new Vocabulary();
        var line = 0;
        while (!file.IsEmpty)
        {
            var end = file.IndexOf((byte)'\n');
            var text = (end < 0 ? file : file[..end]).TrimEnd((byte)'\r');
            file = end < 0 ? [] : file[(end + 1)..];
            line++;
            if (!text.IsEmpty)
                Line(text, line, vocabulary);
        }

        for (var i = 0; i < 256; i++)
        {
            if (vocabulary.Find([ByteAlphabet.Of((byte)i)]) < 0)
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                    $"of its {vocabulary.Count} tokens none is the single byte 0x{i:X2}"));
            }
        }

        return new([pattern], new ByteWords(vocabulary, Merges(vocabulary), hasWholeWords: true))
        {
            Format = "tiktoken", Count = vocabulary.Count, Marks = [Mark],
        };
    }

    private static void Line(ReadOnlySpan<byte> text, int line, Vocabulary vocabulary)
    {
        var blank = text.IndexOf((byte)' ');
        Span<byte> bytes = stackalloc byte[Vocabulary.TokenCharsMax];
        if (blank < 1 || blank > Base64.GetMaxEncodedToUtf8Length(Vocabulary.TokenCharsMax)
            || Base64.DecodeFromUtf8(text[..blank], bytes, out _, out var length) is not OperationStatus.Done
            || !int.TryParse(text[(blank + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var rank))
        {
            throw new InvalidDataException(
                $"line {line} is not a token in base64 of up to {Vocabulary.TokenCharsMax} bytes, a blank and a rank");
        }

        vocabulary.Add(ByteAlphabet.Of(bytes[..length]), rank);
    }

    private static MergeTable Merges(Vocabulary vocabulary)
    {
        var merges = new MergeTable();
        foreach (var (text, id) in vocabulary.Tokens)
        {
            for (var i = 1; i < text.Length; i++)
            {
                if (vocabulary.Find(text.AsSpan(0, i)) is >= 0 and var left
                    && vocabulary.Find(text.AsSpan(i)) is >= 0 and var right)
                    merges.Add(left, right, rank: id, merged: id);
            }
        }

        return merges;
    }
}

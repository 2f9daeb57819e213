using System.Globalization;
using System.Text;

namespace Spillway.Transforms.Tokens;

/// <summary>
/// Patterns of vocabularies see characters, and the platform's see halves of those beyond U+FFFF. In a text's shape one
/// character of the same category stands for each of these, so that a pattern cuts where it does elsewhere.
/// </summary>
internal static class TextShape
{
    /// <summary>Whether a text is its own shape.</summary>
    public static bool IsSame(ReadOnlySpan<char> text) => !text.ContainsAnyInRange('\uD800', '\uDFFF');

    /// <summary>Writes the shape of a text; how many characters it has.</summary>
    /// <param name="text">The text.</param>
    /// <param name="shape">As long as the text.</param>
    /// <param name="starts">Where each stands in the text, and its end; one longer than the text.</param>
    public static int Write(ReadOnlySpan<char> text, Span<char> shape, Span<int> starts)
    {
        var count = 0;
        for (var i = 0; i < text.Length; i++)
        {
            starts[count] = i;
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
                shape[count++] = StandIn(Rune.GetUnicodeCategory(new Rune(text[i], text[++i])));
            else
                shape[count++] = text[i];
        }

        starts[count] = text.Length;
        return count;
    }

    private static char StandIn(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => 'A',
        UnicodeCategory.LowercaseLetter => 'a',
        UnicodeCategory.TitlecaseLetter => '\u01C5',
        UnicodeCategory.ModifierLetter => '\u02B0',
        UnicodeCategory.OtherLetter => '\u01BB',
        UnicodeCategory.NonSpacingMark => '\u0301',
        UnicodeCategory.SpacingCombiningMark => '\u0903',
        UnicodeCategory.EnclosingMark => '\u20DD',
        UnicodeCategory.DecimalDigitNumber => '\u0660',
        UnicodeCategory.LetterNumber => '\u2160',
        UnicodeCategory.OtherNumber => '\u00B2',
        UnicodeCategory.MathSymbol => '\u00B1',
        UnicodeCategory.CurrencySymbol => '\u00A2',
        UnicodeCategory.ModifierSymbol => '\u00A8',
        UnicodeCategory.OtherSymbol => '\u00A6',
        UnicodeCategory.OtherPunctuation => '\u00A7',
        UnicodeCategory.DashPunctuation => '\u2013',
        _ => '\uE000',
    };
}

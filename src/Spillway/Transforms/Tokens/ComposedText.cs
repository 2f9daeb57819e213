namespace Spillway.Transforms.Tokens;

/// <summary>
/// Whether a text is certainly in Unicode's composed form (NFC), so that a vocabulary that composes texts first sees it
/// as it is. Blocks in which no character is ever changed by composing, or takes part in it, are known; a text with any
/// other character may be composed and is not known to be. The platform's own answer needs its data of cultures.
/// </summary>
internal static class ComposedText
{
    /// <summary>Composing makes no UTF-8 longer than this many times (Unicode, FAQ on normalization).</summary>
    public const int GrowthMax = 3;

    private static readonly (char First, char Last)[] s_inert =
    [
        ('\u0000', '\u02FF'), ('\u0400', '\u0482'), ('\u048A', '\u0590'), ('\u2010', '\u205E'), ('\u20A0', '\u20C0'),
        ('\u2190', '\u22FF'), ('\u2460', '\u27BF'), ('\u3000', '\u3029'), ('\u3030', '\u3098'), ('\u309B', '\u312F'),
        ('\u3400', '\u9FFF'), ('\uAC00', '\uD7A3'), ('\uFF01', '\uFFEE'),
    ];

    /// <summary>True when it certainly is.</summary>
    public static bool IsSure(ReadOnlySpan<char> text)
    {
        while (true)
        {
            var at = text.IndexOfAnyExceptInRange('\u0000', '\u02FF');
            if (at < 0)
                return true;
            var isPair = at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]);
            // Beyond U+FFFF: pictures, from U+1F000 to U+1FAFF.
            var isInert = isPair ? char.ConvertToUtf32(text[at], text[at + 1]) is >= 0x1F000 and <= 0x1FAFF
                : IsInert(text[at]);
            if (!isInert)
                return false;
            text = text[(at + (isPair ? 2 : 1))..];
        }
    }

    private static bool IsInert(char c)
    {
        foreach (var (first, last) in s_inert)
        {
            if (c >= first && c <= last)
                return true;
        }

        return false;
    }
}

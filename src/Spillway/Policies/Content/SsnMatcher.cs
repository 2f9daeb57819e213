namespace Spillway.Policies.Content;

/// <summary>
/// Looks for social security numbers of the United States, ddd-dd-dddd, without those that are never given: area 000,
/// 666 and 9xx, group 00, serial 0000.
/// </summary>
internal sealed class SsnMatcher : ContentMatcher
{
    private const int Chars = 11;

    /// <inheritdoc/>
    public override int HoldCharsMax => Chars;

    /// <inheritdoc/>
    protected override int At(ReadOnlySpan<char> text, int at, bool isEnd)
    {
        if (FollowsWord(text, at) || (at > 1 && text[at - 1] == '-' && char.IsAsciiDigit(text[at - 2])))
            return 0;
        for (var i = 0; i < Chars; i++)
        {
            if (at + i == text.Length)
                return Ends(isEnd);
            if (!Fits(text, at, i))
                return 0;
        }

        if (at + Chars == text.Length && !isEnd)
            return More;
        return !FollowsOn(text, at + Chars) && IsGiven(text.Slice(at, Chars)) ? Chars : 0;
    }

    private static bool Fits(ReadOnlySpan<char> text, int at, int i) => i switch
    {
        3 => text[at + i] is '-' or ' ',
        6 => text[at + i] == text[at + 3],
        _ => char.IsAsciiDigit(text[at + i]),
    };

    private static bool FollowsOn(ReadOnlySpan<char> text, int at) =>
        at < text.Length && char.IsAsciiLetterOrDigit(text[at]);

    private static bool IsGiven(ReadOnlySpan<char> number) =>
        !number.StartsWith("000") && !number.StartsWith("666") && number[0] != '9'
        && number[4..6] is not "00" && number[7..] is not "0000";
}

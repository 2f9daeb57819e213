namespace Spillway.Policies.Content;

/// <summary>
/// Looks for telephone numbers: international (+ or 00, 8 to 15 digits as E.164 has them), of North America (3-3-4),
/// and national ones that begin with a 0 and are written in groups. Numbers without any of these marks are left alone.
/// </summary>
internal sealed class PhoneMatcher : ContentMatcher
{
    private const int GroupsMax = 8;
    private const int DigitsMax = 15;

    private static readonly DigitGroups.Form s_form = new(DigitsMax + 2, 2, " -./()\u00A0");

    /// <inheritdoc/>
    public override int HoldCharsMax => 1 + DigitsMax + 3 + (2 * GroupsMax);

    /// <inheritdoc/>
    protected override int At(ReadOnlySpan<char> text, int at, bool isEnd)
    {
        if (!Begins(text, at))
            return 0;
        Span<(int Digits, int End)> groups = stackalloc (int, int)[GroupsMax];
        var from = at + (char.IsAsciiDigit(text[at]) ? 0 : 1);
        if (!DigitGroups.TryRead(text, from, isEnd, s_form, groups, out var count))
            return More;
        for (; count > 0; count--)
        {
            var end = groups[count - 1].End;
            // A letter right behind makes it something else.
            if ((end == text.Length || !char.IsAsciiLetter(text[end]))
                && IsNumber(text[at] == '+', text[from..end], groups[..count]))
                return end - at;
        }

        return 0;
    }

    private static bool Begins(ReadOnlySpan<char> text, int at)
    {
        if (!(char.IsAsciiDigit(text[at]) || text[at] is '+' or '(') || FollowsWord(text, at))
            return false;
        if (at > 0 && text[at - 1] is '+' or '(')
            return false;
        // In the middle of a number that is written in one.
        return !(at > 1 && text[at - 1] is '-' or '.' or '/' && char.IsAsciiDigit(text[at - 2]));
    }

    /// <summary>Whether the groups are a number, by the first mark that they have.</summary>
    private static bool IsNumber(bool isMarked, ReadOnlySpan<char> number, ReadOnlySpan<(int Digits, int End)> groups)
    {
        var total = groups[^1].Digits;
        if (isMarked)
            return number[0] != '0' && total is >= 8 and <= DigitsMax;
        if (number.StartsWith("00"))
            return total >= 10 && number.Length > 2 && number[2] is >= '1' and <= '9';
        return number[0] == '0' ? IsNational(total, groups) : IsAmerican(groups);
    }

    private static bool IsNational(int total, ReadOnlySpan<(int Digits, int End)> groups) =>
        groups.Length >= 2 && total is >= 9 and <= 12
        // The area in a group of its own, or the ten digits of France in pairs.
        && (groups[0].Digits is >= 3 and <= 6 || (groups.Length == 5 && total == 10));

    private static bool IsAmerican(ReadOnlySpan<(int Digits, int End)> groups) =>
        groups is [{ Digits: 3 }, { Digits: 6 }, { Digits: 10 }]
            or [{ Digits: 1 }, { Digits: 4 }, { Digits: 7 }, { Digits: 11 }];
}

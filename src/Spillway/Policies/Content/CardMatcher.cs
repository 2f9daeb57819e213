namespace Spillway.Policies.Content;

/// <summary>
/// Looks for numbers of payment cards (ISO/IEC 7812): 13 to 19 digits, the first from 2 to 6, with a right check digit
/// (Luhn), in one piece or with single blanks, dashes or dots between.
/// </summary>
internal sealed class CardMatcher : ContentMatcher
{
    private const int DigitsMin = 13;
    private const int DigitsMax = 19;

    private static readonly DigitGroups.Form s_form = new(DigitsMax, 1, " -.\u00A0");

    /// <inheritdoc/>
    public override int HoldCharsMax => 2 * DigitsMax;

    /// <inheritdoc/>
    protected override int At(ReadOnlySpan<char> text, int at, bool isEnd)
    {
        if (text[at] is < '2' or > '6' || (at > 0 && char.IsAsciiDigit(text[at - 1])))
            return 0;
        Span<(int Digits, int End)> groups = stackalloc (int, int)[DigitsMax];
        if (!DigitGroups.TryRead(text, at, isEnd, s_form, groups, out var count))
            return More;
        while (count-- > 0)
        {
            var (digits, end) = groups[count];
            if (digits >= DigitsMin && IsValid(text[at..end]))
                return end - at;
        }

        return 0;
    }

    /// <summary>The Luhn sum: every second digit from the right is doubled, and the sum is a multiple of ten.</summary>
    private static bool IsValid(ReadOnlySpan<char> number)
    {
        var (sum, isDoubled) = (0, false);
        for (var i = number.Length - 1; i >= 0; i--)
        {
            if (!char.IsAsciiDigit(number[i]))
                continue;
            var digit = (number[i] - '0') * (isDoubled ? 2 : 1);
            sum += digit > 9 ? digit - 9 : digit;
            isDoubled = !isDoubled;
        }

        return sum % 10 == 0;
    }
}

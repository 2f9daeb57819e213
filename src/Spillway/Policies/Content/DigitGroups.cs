namespace Spillway.Policies.Content;

/// <summary>Groups of digits with a few signs between them, as numbers are written for people.</summary>
internal static class DigitGroups
{
    /// <summary>
    /// Reads groups from a place on; false when the text ends where more of them might come. A group that would make
    /// too many digits is not among them.
    /// </summary>
    /// <param name="text">What there is.</param>
    /// <param name="from">Where the first one begins.</param>
    /// <param name="isEnd">Whether nothing follows.</param>
    /// <param name="form">How they are written.</param>
    /// <param name="groups">Digits up to the end of each group, and where that is.</param>
    /// <param name="count">How many there are.</param>
    public static bool TryRead(
        ReadOnlySpan<char> text, int from, bool isEnd, in Form form, Span<(int Digits, int End)> groups, out int count)
    {
        count = 0;
        var (i, total) = (from, 0);
        while (count < groups.Length)
        {
            var first = i;
            i += Digits(text[i..], form.DigitsMax - total + 1);
            total += i - first;
            if (i == first || total > form.DigitsMax)
                return i < text.Length || isEnd || total > form.DigitsMax;
            if (i == text.Length && !isEnd)
                return false;
            groups[count++] = (total, i);
            i += Gap(text[i..], form);
        }

        return true;
    }

    private static int Digits(ReadOnlySpan<char> text, int most)
    {
        var count = 0;
        while (count < text.Length && count < most && char.IsAsciiDigit(text[count]))
            count++;
        return count;
    }

    private static int Gap(ReadOnlySpan<char> text, in Form form)
    {
        var gap = 0;
        while (gap < form.GapMax && gap < text.Length && form.Between.Contains(text[gap]))
            gap++;
        return gap;
    }

    /// <summary>How groups are written.</summary>
    /// <param name="DigitsMax">The most digits of all together.</param>
    /// <param name="GapMax">The most signs between two.</param>
    /// <param name="Between">Those signs.</param>
    internal readonly record struct Form(int DigitsMax, int GapMax, string Between);
}

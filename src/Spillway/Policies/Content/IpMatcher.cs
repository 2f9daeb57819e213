using System.Globalization;

namespace Spillway.Policies.Content;

/// <summary>Looks for addresses of the Internet Protocol: 192.0.2.1, 2001:db8::1.</summary>
internal sealed class IpMatcher : ContentMatcher
{
    private const int CharsMax = 45;

    /// <summary>Shorter ones are more often something else: a::b, or the local ::1.</summary>
    private const int SixMin = 7;

    private const int GroupsOfSix = 8;

    /// <inheritdoc/>
    public override int HoldCharsMax => CharsMax + 1;

    /// <inheritdoc/>
    protected override int At(ReadOnlySpan<char> text, int at, bool isEnd)
    {
        if (!Begins(text, at))
            return 0;
        var end = at;
        while (end < text.Length && end - at < CharsMax && IsOf(text[end]))
            end++;
        if (end == text.Length && !isEnd)
            return More;
        // A run that goes on, in whatever, is no address.
        if (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || IsOf(text[end])))
            return 0;
        // "data:192.0.2.1" has one, and the end of a longer one of version 6 is none.
        return Judge(text[at..end], isInside: at > 1 && text[at - 1] == ':' && IsOf(text[at - 2]));
    }

    private static bool Begins(ReadOnlySpan<char> text, int at) =>
        IsOf(text[at]) && text[at] != '.' && !FollowsWord(text, at)
        && (at < 2 || text[at - 1] != '.' || !char.IsAsciiDigit(text[at - 2]));

    private static int Judge(ReadOnlySpan<char> run, bool isInside)
    {
        run = run.TrimEnd('.');
        if (run.EndsWith(":") && !run.EndsWith("::"))
            run = run[..^1];
        return IsFour(run) || (!isInside && IsSix(run)) ? run.Length : Port(run);
    }

    /// <summary>192.0.2.1:8080.</summary>
    private static int Port(ReadOnlySpan<char> run) =>
        run.Count(':') == 1 && IsFour(run[..run.IndexOf(':')]) ? run.IndexOf(':') : 0;

    private static bool IsFour(ReadOnlySpan<char> run)
    {
        var parts = 0;
        foreach (var range in run.Split('.'))
        {
            var part = run[range];
            if (part.Length is 0 or > 3 || !byte.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                return false;
            parts++;
        }

        return parts == 4;
    }

    /// <summary>Eight groups of up to four hexadecimal digits, or fewer with one gap; the last two may be a version 4
    /// address (RFC 4291, section 2.2).</summary>
    private static bool IsSix(ReadOnlySpan<char> run)
    {
        if (run.Length < SixMin)
            return false;
        var gap = run.IndexOf("::");
        if (gap < 0)
            return Groups(run) == GroupsOfSix;
        var (before, after) = (Groups(run[..gap]), Groups(run[(gap + 2)..]));
        return before >= 0 && after >= 0 && before + after < GroupsOfSix;
    }

    /// <summary>How many groups of 16 bits; negative when it is none such.</summary>
    private static int Groups(ReadOnlySpan<char> run)
    {
        var count = 0;
        if (run.IsEmpty)
            return 0;
        foreach (var range in run.Split(':'))
        {
            var group = run[range];
            var isLast = range.End.GetOffset(run.Length) == run.Length;
            if (group.Length is 0 or > 4 || group.Contains('.'))
                return isLast && IsFour(group) ? count + 2 : -1;
            count++;
        }

        return count;
    }

    private static bool IsOf(char c) => char.IsAsciiHexDigit(c) || c is ':' or '.';
}

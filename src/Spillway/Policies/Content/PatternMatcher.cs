using System.Text.RegularExpressions;

namespace Spillway.Policies.Content;

/// <summary>
/// Looks for a regular expression. The text is looked at through windows whose places do not depend on how it came:
/// each is a step and the longest match long, and decides about matches that begin within its step. So the end of a
/// window, which the expression may take for the end of the text, is out of reach of every match that is short enough;
/// a longer one is found in pieces. Cost: five looks at each character.
/// </summary>
internal sealed class PatternMatcher : ContentMatcher
{
    private readonly Regex _pattern;
    private readonly int _step;
    private readonly int _window;

    /// <summary>Of a pattern in which <see cref="Problem"/> found nothing.</summary>
    /// <param name="pattern">The expression.</param>
    /// <param name="most">The longest match.</param>
    public PatternMatcher(string pattern, int most)
    {
        _pattern = Compile(pattern);
        _step = Math.Max(1, most / 4);
        _window = _step + most + 1;
    }

    /// <inheritdoc/>
    public override int HoldCharsMax => _window;

    /// <summary>Why a pattern cannot be used; null when it can.</summary>
    public static string? Problem(string pattern)
    {
        try
        {
            return Compile(pattern).IsMatch("") ? "matches where there is nothing" : null;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return "cannot be used: " + e.Message.TrimEnd('.');
        }
    }

    /// <inheritdoc/>
    public override int Scan(ReadOnlySpan<char> text, int from, bool isEnd, List<(int At, int Length)> found)
    {
        while (from < text.Length && (isEnd || text.Length - from >= _window))
        {
            var take = Math.Min(text.Length - from, _window);
            var isLast = isEnd && from + take == text.Length;
            var back = from > 0 ? 1 : 0;
            var (at, length) = First(text.Slice(from - back, take + back), back);
            var most = isLast ? take : _step;
            if (length == 0 || at - back >= most)
            {
                from += most;
                continue;
            }

            from += at - back;
            found.Add((from, length));
            from += length;
        }

        return from;
    }

    private (int At, int Length) First(ReadOnlySpan<char> window, int from)
    {
        foreach (var match in _pattern.EnumerateMatches(window, from))
        {
            if (match.Length > 0)
                return (match.Index, match.Length);
        }

        return (0, 0);
    }

    private static Regex Compile(string pattern) =>
        new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
}

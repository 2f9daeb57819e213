namespace Spillway.Policies.Content;

/// <summary>
/// Finds something in a text that comes in pieces. What it finds is a function of the whole text alone, however it was
/// cut: it decides about a place only when it has seen all that the decision depends on. Immutable.
/// </summary>
internal abstract class ContentMatcher
{
    /// <summary>How many characters before a place it may look at.</summary>
    public const int Context = 2;

    /// <summary>What <see cref="At"/> says when the text decides it only further on.</summary>
    protected const int More = -1;

    /// <summary>The most characters at the end of a text about which it cannot decide.</summary>
    public abstract int HoldCharsMax { get; }

    /// <summary>
    /// Looks on from a place, adds what it finds, and gives the place up to which everything is decided.
    /// </summary>
    /// <param name="text">What there is, with <see cref="Context"/> characters before the place if it had them.</param>
    /// <param name="from">The place.</param>
    /// <param name="isEnd">Whether nothing follows.</param>
    /// <param name="found">Takes starts and lengths, in their order.</param>
    public virtual int Scan(ReadOnlySpan<char> text, int from, bool isEnd, List<(int At, int Length)> found)
    {
        while (from < text.Length)
        {
            var length = At(text, from, isEnd);
            if (length == More)
                break;
            if (length > 0)
                found.Add((from, length));
            from += Math.Max(1, length);
        }

        return from;
    }

    /// <summary>The length of what begins exactly there; 0 for nothing, <see cref="More"/> when it is not yet
    /// decided.</summary>
    /// <param name="text">What there is.</param>
    /// <param name="at">A place in it.</param>
    /// <param name="isEnd">Whether nothing follows.</param>
    protected virtual int At(ReadOnlySpan<char> text, int at, bool isEnd) => 0;

    /// <summary>What the end of what there is means: nothing, or that more must come.</summary>
    protected static int Ends(bool isEnd) => isEnd ? 0 : More;

    /// <summary>Whether a letter or digit stands right before the place.</summary>
    protected static bool FollowsWord(ReadOnlySpan<char> text, int at) =>
        at > 0 && char.IsAsciiLetterOrDigit(text[at - 1]);
}

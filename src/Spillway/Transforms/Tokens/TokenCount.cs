namespace Spillway.Transforms.Tokens;

/// <summary>Tokens of a text.</summary>
/// <param name="Tokens">What the text has by itself: what to bill where an upstream does not say.</param>
/// <param name="AtMost">The most that it can have wherever it stands: what to reserve; never more than its bytes, and
/// one for a vocabulary that puts a blank before each text.</param>
internal readonly record struct TokenCount(long Tokens, long AtMost)
{
    /// <summary>Both sums.</summary>
    public static TokenCount operator +(TokenCount a, TokenCount b) => new(a.Tokens + b.Tokens, a.AtMost + b.AtMost);
}

namespace Spillway.Policies.Caching;

/// <summary>
/// Which model an answer is of, as its record says it; a remembered answer keeps it. One object for all answers of a
/// deployment. Immutable.
/// </summary>
/// <param name="Deployment">Its name; empty for an answer of no model.</param>
/// <param name="Version">Its version.</param>
/// <param name="Digest">SHA-256 of its files in hexadecimal; empty when it is not known.</param>
/// <param name="SignedBy">The id of the key that signed it; empty when nobody was asked.</param>
internal sealed record AnswerOrigin(string Deployment, string Version, string Digest, string SignedBy)
{
    /// <summary>Of no model: a declared message.</summary>
    public static AnswerOrigin None { get; } = new("", "", "", "");
}

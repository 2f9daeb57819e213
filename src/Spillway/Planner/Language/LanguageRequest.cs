namespace Spillway.Planner.Language;

/// <summary>A request to a language model.</summary>
/// <param name="Arrival">When it comes to the engine.</param>
/// <param name="Input">Tokens of the prompt; at least 1.</param>
/// <param name="Output">Tokens of the answer; at least 1.</param>
/// <param name="Cached">Tokens of the prompt that are in the cache already; below the prompt's.</param>
public readonly record struct LanguageRequest(Instant Arrival, int Input, int Output, int Cached = 0);

/// <summary>When it happened to a request.</summary>
/// <param name="Scheduled">When it was first given to a step; <see cref="Instant.Never"/> until then.</param>
/// <param name="FirstToken">When the first token of the answer was there.</param>
/// <param name="LastToken">When the last one was.</param>
/// <param name="Preemptions">How often it lost its place in the cache and had to be computed anew.</param>
public readonly record struct LanguageTimes(Instant Scheduled, Instant FirstToken, Instant LastToken, int Preemptions)
{
    /// <summary>Nothing happened yet.</summary>
    public static LanguageTimes None => new(Instant.Never, Instant.Never, Instant.Never, 0);

    /// <summary>Whether the answer is complete.</summary>
    public bool IsDone => LastToken != Instant.Never;

    /// <summary>The time to the first token.</summary>
    public TimeSpan FirstTokenTime(in LanguageRequest request) => FirstToken - request.Arrival;

    /// <summary>
    /// Milliseconds for each token after the first: (last - first) / (tokens - 1); NaN for an answer of one token.
    /// </summary>
    public double MsPerToken(in LanguageRequest request) =>
        request.Output > 1 ? (LastToken - FirstToken).TotalMilliseconds / (request.Output - 1) : double.NaN;
}

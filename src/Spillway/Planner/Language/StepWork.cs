namespace Spillway.Planner.Language;

/// <summary>What one step of an engine computes.</summary>
/// <param name="Tokens">Tokens of prompts and of answers.</param>
/// <param name="Sequences">Requests that have a part in it.</param>
/// <param name="Sampled">Requests that get a token from it.</param>
/// <param name="ContextTokens">Tokens whose keys and values are read from the cache.</param>
/// <param name="AttentionPairs">Pairs of tokens in the prompts' parts: n²/2 of a whole prompt.</param>
internal readonly record struct StepWork(
    double Tokens, int Sequences, int Sampled, double ContextTokens, double AttentionPairs)
{
    /// <summary>A step of nothing but answers.</summary>
    /// <param name="sequences">Requests.</param>
    /// <param name="context">The tokens that each has so far, mean.</param>
    public static StepWork Decode(int sequences, double context) =>
        new(sequences, sequences, sequences, sequences * context, 0);

    /// <summary>A step with one whole prompt.</summary>
    public static StepWork Prefill(double tokens) => new(tokens, 1, 1, 0, tokens * tokens / 2);
}

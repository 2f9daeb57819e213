namespace Spillway;

/// <summary>Tokens that one request to a language model used.</summary>
/// <param name="Input">Tokens of the prompt, those from a cache included.</param>
/// <param name="Output">Tokens that it wrote, those of its reasoning included.</param>
public readonly record struct TokenUsage(long Input, long Output)
{
    /// <summary>Of the input, tokens that came from the model's cache of prompts.</summary>
    public long Cached { get; init; }

    /// <summary>Of the output, tokens of its reasoning, which the caller does not see.</summary>
    public long Reasoning { get; init; }

    /// <summary>Both together.</summary>
    public long Total => Input + Output;

    /// <summary>Both together.</summary>
    public static TokenUsage operator +(TokenUsage a, TokenUsage b) => new(a.Input + b.Input, a.Output + b.Output)
    {
        Cached = a.Cached + b.Cached, Reasoning = a.Reasoning + b.Reasoning,
    };
}

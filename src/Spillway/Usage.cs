namespace Spillway;

/// <summary>What an answer consumed, for bills and metrics.</summary>
/// <param name="Rows">Rows that ran.</param>
/// <param name="Elements">Input elements that ran.</param>
public readonly record struct Usage(long Rows, long Elements)
{
    /// <summary>Tokens, where a language model answered.</summary>
    public TokenUsage Tokens { get; init; }

    /// <summary>Both together.</summary>
    public static Usage operator +(Usage a, Usage b) =>
        new(a.Rows + b.Rows, a.Elements + b.Elements) { Tokens = a.Tokens + b.Tokens };
}

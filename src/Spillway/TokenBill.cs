namespace Spillway;

/// <summary>What tokens cost, in lines that add up.</summary>
/// <param name="Input">The prompt, but for what was cached.</param>
/// <param name="Cached">What was cached of it.</param>
/// <param name="Output">The answer, but for its reasoning.</param>
/// <param name="Reasoning">Its reasoning.</param>
/// <param name="Request">The request itself.</param>
public readonly record struct TokenBill(Money Input, Money Cached, Money Output, Money Reasoning, Money Request)
{
    /// <summary>The lines of tokens.</summary>
    public Money Tokens => Input + Cached + Output + Reasoning;

    /// <summary>Everything.</summary>
    public Money Total => Tokens + Request;
}

namespace Spillway;

/// <summary>What a delivered answer costs: lines that add up.</summary>
/// <param name="Run">Its share of the run's own price.</param>
/// <param name="Rows">The price of its rows.</param>
public readonly record struct Bill(Money Run, Money Rows)
{
    /// <summary>Its share of the hardware's price for the time of the run.</summary>
    public Money Time { get; init; }

    /// <summary>The price of the request itself.</summary>
    public Money Request { get; init; }

    /// <summary>The price of its tokens, where a language model answered.</summary>
    public Money Tokens { get; init; }

    /// <summary>The exact sum of the lines.</summary>
    public Money Total => Time + Run + Rows + Request + Tokens;
}

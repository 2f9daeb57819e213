namespace Spillway;

/// <summary>The cost lines of one request.</summary>
/// <param name="Run">Its share, by rows, of the price of the run.</param>
/// <param name="Rows">The price of its rows.</param>
public readonly record struct Bill(Money Run, Money Rows)
{
    /// <summary>The exact sum of the lines.</summary>
    public Money Total => Run + Rows;
}

namespace Spillway.Policies.Pricing;

/// <summary>
/// What the tokens of a language model cost, per million. Immutable, pure, integer nano-units; each line is rounded up
/// to a nano-unit.
/// </summary>
public sealed record TokenPrice
{
    private const long Million = 1_000_000;

    /// <summary>A million tokens of prompts.</summary>
    public Money Input { get; init; }

    /// <summary>A million tokens of prompts that came from the model's cache.</summary>
    public Money Cached { get; init; }

    /// <summary>A million tokens of answers.</summary>
    public Money Output { get; init; }

    /// <summary>A million tokens of reasoning.</summary>
    public Money Reasoning { get; init; }

    /// <summary>Each request.</summary>
    public Money PerRequest { get; init; }

    /// <summary>The lines of a bill. What an upstream reports as a part is at most its whole.</summary>
    public TokenBill Price(TokenUsage used)
    {
        var cached = Math.Clamp(used.Cached, 0, Math.Max(used.Input, 0));
        var reasoning = Math.Clamp(used.Reasoning, 0, Math.Max(used.Output, 0));
        return new(
            Of(Input, used.Input - cached), Of(Cached, cached), Of(Output, used.Output - reasoning),
            Of(Reasoning, reasoning), PerRequest);
    }

    /// <summary>
    /// The most that so many tokens can cost, whichever of them are cached or reasoning: what to reserve.
    /// </summary>
    /// <param name="input">The most tokens of the prompt.</param>
    /// <param name="output">The most tokens of all answers.</param>
    public Money AtMost(long input, long output) =>
        // Two lines each, rounded up by themselves, may be a nano-unit more than one.
        Of(Most(Input, Cached), input) + Of(Most(Output, Reasoning), output) + PerRequest + new Money(2);

    private static Money Most(Money a, Money b) => a > b ? a : b;

    private static Money Of(Money perMillion, long tokens) => tokens <= 0
        ? Money.Zero
        : new((long)Int128.Min((((Int128)perMillion.Nano * tokens) + Million - 1) / Million, long.MaxValue / 16));
}

namespace Spillway.Telemetry;

/// <summary>How often a rule over content found something in one request.</summary>
/// <param name="rule">The rule's name.</param>
/// <param name="isAnswer">Whether in the answer; else in what was asked.</param>
/// <param name="what">What was done: refused, masked, noted.</param>
internal sealed class ContentCount(string rule, bool isAnswer, string what)
{
    /// <summary>The rule's name.</summary>
    public string Rule => rule;

    /// <summary>Whether in the answer; else in what was asked.</summary>
    public bool IsAnswer => isAnswer;

    /// <summary>"prompt" or "answer".</summary>
    public string Where => isAnswer ? "answer" : "prompt";

    /// <summary>What was done: refused, masked, noted.</summary>
    public string Do => what;

    /// <summary>How often.</summary>
    public long Count { get; set; }

    /// <summary>As the header tells it: masked;rule=mail;in=answer;count=2.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{what};rule={rule};in={Where};count={Count}");
}

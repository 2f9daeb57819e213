namespace Spillway;

/// <summary>
/// How much of an answer a caller sees: exact probabilities let a patient caller copy a model or learn about its
/// training data, so who does not need them does not get them.
/// </summary>
/// <param name="LabelOnly">Only labels or texts: outputs of floating-point numbers are left out.</param>
/// <param name="TopK">Only that many of the best classes; null for all.</param>
/// <param name="Decimals">Floating-point outputs are rounded to that many decimals, 0 to 9; null for no rounding.</param>
public sealed record AnswerDetail(bool LabelOnly = false, int? TopK = null, int? Decimals = null)
{
    /// <summary>Everything.</summary>
    public static AnswerDetail Full { get; } = new();
}

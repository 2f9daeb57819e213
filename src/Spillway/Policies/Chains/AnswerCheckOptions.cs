namespace Spillway.Policies.Chains;

/// <summary>What an answer must be like.</summary>
public sealed record AnswerCheckOptions
{
    /// <summary>Which output.</summary>
    [Option("The output that is checked; empty for the first one.")]
    public string Output { get; init; } = "";

    /// <summary>Whether there must be something.</summary>
    [Option("Whether there must be at least one element, and in texts at least one character each.",
        Source = "a full answer says something")]
    public bool NotEmpty { get; init; } = true;

    /// <summary>Whether numbers must be numbers.</summary>
    [Option("Whether every number must be finite: no NaN, no infinity.",
        Source = "what overflows or divides by zero in a model shows so")]
    public bool Finite { get; init; } = true;

    /// <summary>The least confidence.</summary>
    [Option("The least confidence: the largest number of every row (its last dimension) must reach it.",
        Min = -1e9, Max = 1e9)]
    public double? ConfidenceMin { get; init; }

    /// <summary>What texts must look like.</summary>
    [Option("A regular expression that every text must match somewhere (^ and $ bind it to the ends). Of the kind that "
        + "needs time in proportion to the text, so without look-around and back references.")]
    public string Pattern { get; init; } = "";

    /// <summary>The schema that texts must hold to.</summary>
    [Option("A JSON schema, as JSON text, that every text must hold to: type, properties, required, "
        + "additionalProperties (true or false), items, minItems, maxItems, enum, minimum, maximum, minLength, "
        + "maxLength and pattern. Another keyword is refused at the start.")]
    public string JsonSchema { get; init; } = "";
}

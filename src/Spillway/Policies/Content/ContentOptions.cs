namespace Spillway.Policies.Content;

/// <summary>Rules over what is asked on a route, and over what is answered.</summary>
public sealed record ContentOptions
{
    /// <summary>Rules of each side together.</summary>
    public const int RulesMax = 32;

    /// <summary>Rules for what is asked.</summary>
    [Option("Rules for prompts: texts of messages, prompts and inputs. Pictures, sounds and files are not looked "
        + "into.")]
    public IReadOnlyList<ContentRuleOptions> Prompts { get; init; } = [];

    /// <summary>Rules for what is answered.</summary>
    [Option("Rules for answers: whatever the model writes, its reasoning and the arguments of tools too, also in "
        + "streams. A stream is held back as far as a match may still reach.")]
    public IReadOnlyList<ContentRuleOptions> Answers { get; init; } = [];
}

/// <summary>One rule: what it looks for, and what is done about it. It has exactly one thing to look for.</summary>
public sealed record ContentRuleOptions
{
    /// <summary>What it is called in headers, records and metrics.</summary>
    [Option("The rule's name: in headers, records, metrics, and in place of what is masked. At most 40 small letters, "
        + "digits, dashes and dots.", Required = true)]
    public string Name { get; init; } = "";

    /// <summary>What is done.</summary>
    [Option("What is done about a match: refuse (the whole request or answer), mask (the rule's name in brackets "
        + "stands in its place), or note (in the record and the metrics alone).", Source = "the safe one")]
    public ContentAction Do { get; init; } = ContentAction.Refuse;

    /// <summary>A regular expression.</summary>
    [Option("A regular expression to look for. Of the kind that needs time in proportion to the text, so without "
        + "look-around and back references.")]
    public string Pattern { get; init; } = "";

    /// <summary>How long a match of the pattern may be.</summary>
    [Option("The longest match of the pattern. A stream is held back by a quarter more than that; what is longer is "
        + "matched in pieces.", Unit = "characters", Min = 1, Max = 4096,
        Source = "a few lines; 64 tokens or so of delay")]
    public int MatchCharsMax { get; init; } = 256;

    /// <summary>Words that must not be said.</summary>
    [Option("Words or phrases to look for, in any case, not within longer words. At most 1000 of 1 to 100 characters.")]
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>Personal data.</summary>
    [Option("Personal data to look for: email, phone, card (with its check digit), iban (with its check digits), ip, "
        + "ssn (of the United States).")]
    public IReadOnlyList<PiiKind> Pii { get; init; } = [];

    /// <summary>The longest text.</summary>
    [Option("The most characters: of all texts of a prompt together, or of one answer. 0: no such rule.",
        Unit = "characters", Min = 0, Max = 100_000_000)]
    public int CharsMax { get; init; }

    /// <summary>What the whole answer must be.</summary>
    [Option("A JSON schema, as JSON text, that an answer must hold to as a whole; the keywords are those of a step's "
        + "checks. A stream is judged at its end: instead of its last event it has an error.")]
    public string JsonSchema { get; init; } = "";
}

/// <summary>What is done about a match.</summary>
public enum ContentAction
{
    /// <summary>The request, or the answer, is refused.</summary>
    Refuse,

    /// <summary>The rule's name stands in its place.</summary>
    Mask,

    /// <summary>It is recorded and counted, and passes.</summary>
    Note,
}

/// <summary>Personal data that is known by its form.</summary>
public enum PiiKind
{
    /// <summary>A mail address.</summary>
    Email,

    /// <summary>A telephone number, international or of a usual national form.</summary>
    Phone,

    /// <summary>A payment card's number with a right check digit (Luhn).</summary>
    Card,

    /// <summary>An international bank account number with right check digits (ISO 13616).</summary>
    Iban,

    /// <summary>An address of the Internet Protocol, version 4 or 6.</summary>
    Ip,

    /// <summary>A social security number of the United States.</summary>
    Ssn,
}

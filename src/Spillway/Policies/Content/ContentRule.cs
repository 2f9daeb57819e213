using Spillway.Policies.Chains;

namespace Spillway.Policies.Content;

/// <summary>One rule, ready to be asked. Immutable.</summary>
internal sealed class ContentRule
{
    private const int NameMax = 40;
    private const int WordsMax = 1000;
    private const int WordMax = 100;
    private const int PatternMax = 1000;

    /// <summary>Of options in which <see cref="Problem"/> found nothing.</summary>
    public ContentRule(ContentRuleOptions options)
    {
        (Name, Do, CharsMax) = (options.Name, options.Do, options.CharsMax);
        Mask = $"[{options.Name}]";
        if (options.JsonSchema.Length > 0)
            Schema = AnswerSchema.Read(options.JsonSchema, out _);
        if (options.Pattern.Length > 0)
            Matchers = [new PatternMatcher(options.Pattern, options.MatchCharsMax)];
        else if (options.Words.Count > 0)
            Matchers = [new WordMatcher(options.Words)];
        else
            Matchers = [.. options.Pii.Distinct().Select(Of)];
    }

    /// <summary>As declared.</summary>
    public string Name { get; }

    /// <summary>What is done about a match.</summary>
    public ContentAction Do { get; }

    /// <summary>What stands in a match's place.</summary>
    public string Mask { get; }

    /// <summary>The most characters; 0 for no such rule.</summary>
    public int CharsMax { get; }

    /// <summary>What a whole answer must be; null for no such rule.</summary>
    public AnswerSchema? Schema { get; }

    /// <summary>What it looks for in texts.</summary>
    public IReadOnlyList<ContentMatcher> Matchers { get; }

    /// <summary>What is wrong with options: the key, the value, the problem and the remedy.</summary>
    public static IEnumerable<Finding> Problem(ContentRuleOptions options, bool isAnswer)
    {
        if (options.Name.Length is 0 or > NameMax
            || !options.Name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.'))
        {
            yield return new("name", options.Name, "It is no rule's name.",
                $"Use at most {NameMax} small letters, digits, dashes and dots.");
        }

        var things = (bool[])[options.Pattern.Length > 0, options.Words.Count > 0, options.Pii.Count > 0,
            options.CharsMax > 0, options.JsonSchema.Length > 0];
        if (things.Count(t => t) != 1)
        {
            yield return new("", options.Name, "A rule looks for exactly one thing.",
                "Give one of pattern, words, pii, charsMax, jsonSchema; make a rule of each.");
        }

        if (options.Do is ContentAction.Mask && (options.CharsMax > 0 || options.JsonSchema.Length > 0))
            yield return new("do", "mask", "It has nothing that could be masked.", "Say refuse or note.");
        foreach (var finding in OfTexts(options, isAnswer))
            yield return finding;
    }

    private static IEnumerable<Finding> OfTexts(ContentRuleOptions options, bool isAnswer)
    {
        if (options.Pattern.Length > PatternMax)
            yield return new("pattern", $"{options.Pattern.Length} characters", "The pattern is too long.",
                $"Use at most {PatternMax} characters, or several rules.");
        else if (options.Pattern.Length > 0 && PatternMatcher.Problem(options.Pattern) is { } wrong)
            yield return new("pattern", options.Pattern, $"It {wrong}.",
                "Write it without look-around and back references, so that it matches at least one character.");
        if (options.Words.Count > WordsMax)
            yield return new("words", $"{options.Words.Count} words", "They are too many.",
                $"Use at most {WordsMax} a rule.");
        if (options.Words.FirstOrDefault(w => w.Trim() != w || w.Length is 0 or > WordMax) is { } odd)
            yield return new("words", odd, "It is no word.",
                $"Use 1 to {WordMax} characters, without blanks at the ends.");
        if (options.JsonSchema.Length == 0)
            yield break;
        if (!isAnswer)
            yield return new("jsonSchema", "", "Only answers have a schema.", "Move the rule to answers.");
        if (AnswerSchema.Read(options.JsonSchema, out var problem) is null)
            yield return new("jsonSchema", options.JsonSchema, $"It cannot be used: {problem}.",
                "Write it with these keywords alone.");
    }

    private static ContentMatcher Of(PiiKind kind) => kind switch
    {
        PiiKind.Email => new EmailMatcher(),
        PiiKind.Phone => new PhoneMatcher(),
        PiiKind.Card => new CardMatcher(),
        PiiKind.Iban => new IbanMatcher(),
        PiiKind.Ip => new IpMatcher(),
        PiiKind.Ssn => new SsnMatcher(),
    };
}

namespace Spillway.Policies.Content;

/// <summary>The rules over one side of a route, ready to be asked. Immutable.</summary>
internal sealed class ContentRules
{
    private ContentRules(IReadOnlyList<ContentRule> rules)
    {
        All = rules;
        Scans = [.. rules.SelectMany(rule => rule.Matchers.Select(matcher => (matcher, rule)))];
        Changes = rules.Any(r => r.Do is not ContentAction.Note);
        Lengths = [.. rules.Where(r => r.CharsMax > 0)];
        Schemas = [.. rules.Where(r => r.Schema is not null)];
        HoldCharsMax = Scans.Where(s => s.Rule.Do is not ContentAction.Note).Select(s => s.Matcher.HoldCharsMax)
            .DefaultIfEmpty(0).Max() + 1;
    }

    /// <summary>Every rule, as declared.</summary>
    public IReadOnlyList<ContentRule> All { get; }

    /// <summary>What is looked for in texts, and whose it is.</summary>
    public IReadOnlyList<(ContentMatcher Matcher, ContentRule Rule)> Scans { get; }

    /// <summary>Whether any of them masks or refuses.</summary>
    public bool Changes { get; }

    /// <summary>Those over lengths.</summary>
    public IReadOnlyList<ContentRule> Lengths { get; }

    /// <summary>Those over whole answers.</summary>
    public IReadOnlyList<ContentRule> Schemas { get; }

    /// <summary>The most characters of a text that are held back; half a surrogate pair is among them.</summary>
    public int HoldCharsMax { get; }

    /// <summary>Null where nothing is declared.</summary>
    public static ContentRules? Of(IReadOnlyList<ContentRuleOptions> options) =>
        options.Count == 0 ? null : new([.. options.Select(o => new ContentRule(o))]);

    /// <summary>What is wrong with them together and each by itself; keys are relative to the list.</summary>
    public static IEnumerable<Finding> Problems(IReadOnlyList<ContentRuleOptions> options, bool isAnswer)
    {
        if (options.Count > ContentOptions.RulesMax)
            yield return new("", $"{options.Count} rules", "They are too many.",
                $"At most {ContentOptions.RulesMax} are asked.");
        for (var i = 0; i < options.Count; i++)
        {
            var at = FormattableString.Invariant($"[{i}]");
            foreach (var (key, value, problem, remedy) in ContentRule.Problem(options[i], isAnswer))
                yield return new(key.Length == 0 ? at : $"{at}.{key}", value, problem, remedy);
            if (options.Take(i).Any(o => o.Name == options[i].Name))
                yield return new($"{at}.name", options[i].Name, "Another rule here has that name.",
                    "Give each a name of its own: records and metrics tell them apart by it.");
        }
    }
}

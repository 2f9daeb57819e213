namespace Spillway.Telemetry;

/// <summary>The decisions over answers of language models as sentences.</summary>
internal static class ChatText
{
    /// <summary>The sentence of one decision.</summary>
    public static string Render(DecisionKind kind, long a, long b, long c) => kind switch
    {
        DecisionKind.TokensCapped => FormattableString.Invariant(
            $"Capped: the request had no limit, so at most {a} tokens were asked for."),
        DecisionKind.TokensUsed => FormattableString.Invariant($"Used {a} tokens of prompt and {b} of answer, ")
            + (c == 1 ? "as the upstream says." : c == 2
                ? "counted here with the route's tokenizer, because the upstream did not say."
                : "counted here, because the upstream did not say."),
        DecisionKind.StreamBroken => FormattableString.Invariant(
            $"Broke off: the caller has about {a} tokens of an answer that never came to its end."),
        DecisionKind.TokensSettled => $"Settled: {new Money(a)} for its tokens.",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "It is none of these."),
    };

    /// <summary>The sentence of what a rule over content found: its name and how often, nothing of the text.</summary>
    public static string Content(long index, long count, in RequestRecord record)
    {
        if (record.Chat is not { } chat || index >= chat.Content.Count)
            return "Content: a rule found something.";
        var found = chat.Content[(int)index];
        var times = count == 1 ? "once" : FormattableString.Invariant($"{count} times");
        return found.Do == "withheld"
            ? $"Content: {found.Rule} left out of the answer, for they would tell what rules hold back."
            : $"Content: the rule {found.Rule} {found.Do} something in the {found.Where}, {times}.";
    }
}

namespace Spillway.Engine.Gateway;

/// <summary>
/// Keeps the numbers behind a language model's answer from callers that are not to see them. What an upstream says is
/// passed on and not rounded, so what would hold such numbers is not asked for.
/// </summary>
internal static class ChatHardening
{
    /// <summary>Before anything is asked. Null, or why it is not.</summary>
    public static Fault? Ask(Caller caller, AskedBody asked)
    {
        if (caller.Detail == AnswerDetail.Full)
            return null;
        return asked.Call switch
        {
            WireCall.Chat or WireCall.Completion => asked.NumbersAsked is { } field
                ? Hidden(caller, $"the field {field} asks for numbers. Leave it out") : null,
            WireCall.Embedding => Hidden(caller, "an embedding is nothing else"),
            WireCall.Moderation => Hidden(caller, "a moderation answers with scores"),
        };
    }

    private static Fault Hidden(Caller caller, string why) => new(
        FaultKind.Forbidden,
        $"This key does not see the exact numbers of a model, and {why}. Or ask the operator for a key that "
        + "sees more (spillway keys create without --label-only, --top-k and --decimals).");
}

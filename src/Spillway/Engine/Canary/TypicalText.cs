namespace Spillway.Engine.Canary;

/// <summary>Typical shapes as one line.</summary>
internal static class TypicalText
{
    /// <summary>"x=[1,3,48,320] y=[1]", names in order.</summary>
    public static string Of(IReadOnlyDictionary<string, IReadOnlyList<long>> typical) => string.Join(' ',
        typical.OrderBy(static t => t.Key, StringComparer.Ordinal)
            .Select(static t => $"{t.Key}=[{string.Join(',', t.Value)}]"));
}

namespace Spillway.Policies.Routing;

/// <summary>
/// How long an upstream may take: four times, because one is either too long to notice a dead machine or too short for
/// a long answer. The request's deadline bounds all of them.
/// </summary>
public sealed record TimeoutOptions
{
    /// <summary>To the connection.</summary>
    [Option("How long a connection may take.", Unit = "ms", Min = 1, Max = 600_000,
        Source = "three times a round trip around the world, and room")]
    public double ConnectMs { get; init; } = 1000;

    /// <summary>From the request to the first delta.</summary>
    [Option("How long the first delta of an answer may take, the connection included.", Unit = "ms",
        Min = 1, Max = 3_600_000, Source = "a queue and a long prompt at a language model")]
    public double FirstDeltaMs { get; init; } = 10_000;

    /// <summary>Between two deltas.</summary>
    [Option("How long the next delta of an answer that has begun may take.", Unit = "ms",
        Min = 1, Max = 3_600_000, Source = "a hundred tokens' time of a slow language model")]
    public double BetweenDeltasMs { get; init; } = 10_000;

    /// <summary>In all.</summary>
    [Option("How long an answer may take in all.", Unit = "ms", Min = 1, Max = 86_400_000,
        Source = "a long answer at ten tokens a second")]
    public double TotalMs { get; init; } = 120_000;

    /// <summary>What contradicts itself, as text with key, value and remedy; empty when nothing does.</summary>
    /// <param name="key">The key of this section.</param>
    internal IReadOnlyList<Finding> Check(string key)
    {
        List<Finding> found = [];
        Above(found, key, "connectMs", ConnectMs, "firstDeltaMs", FirstDeltaMs);
        Above(found, key, "firstDeltaMs", FirstDeltaMs, "totalMs", TotalMs);
        Above(found, key, "betweenDeltasMs", BetweenDeltasMs, "totalMs", TotalMs);
        return found;
    }

    private static void Above(
        List<Finding> found, string key, string inner, double innerMs, string outer, double outerMs)
    {
        if (innerMs > outerMs)
        {
            found.Add(new(
                $"{key}.{inner}", Finding.Number(innerMs),
                $"can never pass: {outer} ends it after {Finding.Number(outerMs)} ms",
                $"Make {inner} at most {outer}, or {outer} longer."));
        }
    }
}

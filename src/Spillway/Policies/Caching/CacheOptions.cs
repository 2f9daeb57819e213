namespace Spillway.Policies.Caching;

/// <summary>Whose answers a caller may be given.</summary>
public enum CacheScope
{
    /// <summary>Those that its own tenant asked for.</summary>
    Tenant,

    /// <summary>Those of everybody. How long an answer took then tells whether somebody asked the same.</summary>
    Shared,
}

/// <summary>What is remembered of a served name's answers, and for how long.</summary>
public sealed record CacheOptions
{
    /// <summary>Whether there is a cache.</summary>
    [Option("Whether answers are remembered and given again to requests whose every input byte is the same. Only for "
        + "models that answer the same question with the same answer.",
        Source = "off: not every model is deterministic")]
    public bool Enabled { get; init; }

    /// <summary>Bound of everything that is kept: keys, answers and what they cost to keep.</summary>
    [Option("Memory for remembered questions and answers together, with what it takes to keep them. Beyond it those "
        + "go that nobody asked for again.",
        Unit = "bytes", Min = 65_536, Max = 1e12, Source = "60,000 questions of 3 KB with short answers")]
    public long BytesMax { get; init; } = 256L * 1024 * 1024;

    /// <summary>The largest question with its answer that is kept.</summary>
    [Option("The largest question with its answer that is remembered; larger ones are answered each time.",
        Unit = "bytes", Min = 1024, Max = 1e9, Source = "one picture of 3 x 299 x 299 numbers")]
    public int EntryBytesMax { get; init; } = 1024 * 1024;

    /// <summary>How long an answer is fresh.</summary>
    [Option("How long an answer is fresh.", Unit = "ms", Min = 1, Max = 31_536_000_000,
        Source = "five minutes: a version's answers do not change, its surroundings may")]
    public double TtlMs { get; init; } = 300_000;

    /// <summary>How long beyond that it is given while one request asks anew.</summary>
    [Option("How long beyond ttlMs an answer is still given at once, while one request asks the model anew "
        + "(RFC 5861).", Unit = "ms", Min = 0, Max = 31_536_000_000, Source = "off: declared by who can bear it")]
    public double StaleWhileRevalidateMs { get; init; }

    /// <summary>How long beyond that it is given when the model cannot answer.</summary>
    [Option("How long beyond ttlMs an answer is given when the model cannot answer (RFC 5861).",
        Unit = "ms", Min = 0, Max = 31_536_000_000, Source = "off: declared by who can bear it")]
    public double StaleIfErrorMs { get; init; }

    /// <summary>Whose answers a caller may be given.</summary>
    [Option("Whose answers a caller may be given: tenant (its own tenant's) or shared (everybody's). With shared, how "
        + "long an answer took tells whether somebody else asked the same.", Source = "nobody learns of others")]
    public CacheScope Scope { get; init; } = CacheScope.Tenant;

    /// <summary>Requests that may wait for one that asks the same.</summary>
    [Option("Requests that may wait for an answer that another request already asks for; one more asks by itself.",
        Unit = "requests", Min = 0, Max = 100_000, Source = "a deployment's queue")]
    public int JoinersMax { get; init; } = 256;
}

namespace Spillway.Policies.Caching;

/// <summary>What a request does about the cache.</summary>
internal enum CacheStep
{
    /// <summary>
    /// Goes on to the model, as if there were no cache; nothing is to be stored. The default: no decision.
    /// </summary>
    Bypass,

    /// <summary>Is answered from the cache.</summary>
    Hit,

    /// <summary>Is answered from the cache with something old; it may have to ask anew, beside.</summary>
    Stale,

    /// <summary>Leads: goes on to the model and stores or fails, exactly once; others wait for it.</summary>
    Miss,

    /// <summary>Waits for the one that leads.</summary>
    Join,

    /// <summary>Goes on to the model without looking, and stores or fails, exactly once.</summary>
    Refresh,
}

/// <summary>Why.</summary>
internal enum CacheReason
{
    /// <summary>The caller said so.</summary>
    Asked,

    /// <summary>It is fresh.</summary>
    Fresh,

    /// <summary>It is old, and somebody asks anew: this request when it leads.</summary>
    Revalidating,

    /// <summary>It is old, and the model cannot answer.</summary>
    AfterError,

    /// <summary>Nobody asked this.</summary>
    Unknown,

    /// <summary>Somebody did, too long ago.</summary>
    Expired,

    /// <summary>Somebody asks the same right now.</summary>
    InTheAir,

    /// <summary>Somebody asks the same right now, and as many wait for it as may.</summary>
    TooManyJoin,

    /// <summary>The question alone is larger than an entry may be.</summary>
    TooLarge,

    /// <summary>Questions that are being asked take all of the memory.</summary>
    NoRoom,

    /// <summary>Another question has the same hash. Once in 10^18.</summary>
    Collision,

    /// <summary>It belongs to a sequence: its answer depends on what was asked before.</summary>
    Sequence,
}

/// <summary>What a caller asks of the cache itself.</summary>
internal enum CacheDirective
{
    /// <summary>Read and write.</summary>
    Use,

    /// <summary>Neither read nor write: "no-store".</summary>
    Bypass,

    /// <summary>Do not read, do write: "no-cache".</summary>
    Refresh,
}

/// <summary>How a request that led ended without an answer.</summary>
internal enum LeadEnd
{
    /// <summary>Its caller left or its own deadline came, which says nothing of the question: the next leads.</summary>
    Left,

    /// <summary>It failed, and another attempt may mend that: the next leads, a few times.</summary>
    Failed,

    /// <summary>It failed as every other would: all who wait get its fault.</summary>
    Hopeless,
}

/// <summary>The decision about one request.</summary>
/// <param name="Step">What it does.</param>
/// <param name="Reason">Why.</param>
internal readonly record struct CacheDecision(CacheStep Step, CacheReason Reason)
{
    /// <summary>With Hit and Stale: the answer.</summary>
    public CachedAnswer? Answer { get; init; }

    /// <summary>With Hit and Stale: how old it is.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>
    /// What this request is to store or fail, exactly once: with Miss and Refresh always, with Stale when it is the one
    /// that asks anew.
    /// </summary>
    public CacheLead? Lead { get; init; }

    /// <summary>With Join: what is waited for.</summary>
    public CacheFlight? Flight { get; init; }

    /// <summary>With Join: this request among those that wait.</summary>
    public CacheWaiter? Waiter { get; init; }
}

/// <summary>The right and the duty to store or fail what others may wait for.</summary>
/// <param name="Flight">Which.</param>
/// <param name="Turn">Which of those that led it one after the other.</param>
internal readonly record struct CacheLead(CacheFlight Flight, int Turn);

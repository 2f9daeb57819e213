namespace Spillway.Runtimes;

/// <summary>What a runtime's cache of prepared models did for one load.</summary>
public enum CacheUse
{
    /// <summary>No cache was asked for, or none applies to this model.</summary>
    Off,

    /// <summary>The prepared model was taken from the cache.</summary>
    Hit,

    /// <summary>It was prepared, and stored for the next load.</summary>
    Filled,

    /// <summary>The stored one was corrupt; it was thrown away, prepared and stored anew.</summary>
    Rebuilt,

    /// <summary>It was prepared and could not be stored; the model serves all the same.</summary>
    Failed,
}

/// <summary>How a load went, for the log and for counting.</summary>
/// <param name="Cache">What the cache did.</param>
/// <param name="Note">A sentence worth a warning in the log: what is degraded, why, and what to do; else empty.</param>
public sealed record LoadReport(CacheUse Cache, string Note = "");

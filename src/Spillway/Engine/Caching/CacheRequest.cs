using Spillway.Policies.Caching;

namespace Spillway.Engine.Caching;

/// <summary>A request as the cache sees it; nothing of it is kept.</summary>
internal readonly ref struct CacheRequest
{
    /// <summary>What would answer it: the version that the request was routed to.</summary>
    public required CacheSubject Subject { get; init; }

    /// <summary>Whose it is; ignored where answers are shared.</summary>
    public required string Tenant { get; init; }

    /// <summary>The outputs and inputs, as the served name's signature has them.</summary>
    public required InferenceRequest Request { get; init; }

    /// <summary>What its caller asks of the cache.</summary>
    public CacheDirective Directive { get; init; }

    /// <summary>Whatever else its answer depends on, in a form of its own; empty for nothing.</summary>
    public ReadOnlySpan<byte> Parameters { get; init; }
}

/// <summary>What became of a request that waited for another's answer: one of the three.</summary>
/// <param name="Answer">The other's answer.</param>
/// <param name="Lead">The other failed or left: this one leads, goes on to the model, and stores or fails.</param>
/// <param name="Fault">The other's fault, or this one's own: its deadline came, its caller left.</param>
internal readonly record struct CacheOutcome(CachedAnswer? Answer, CacheLead? Lead = null, Fault? Fault = null);

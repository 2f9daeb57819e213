using System.Buffers.Binary;
using Spillway.Policies.Caching;

namespace Spillway.Planner.Routes;

/// <summary>A request that waits for another's answer in a simulated cache.</summary>
/// <param name="told">An answer, the lead, or why neither.</param>
internal sealed class RouteWaiter(Action<bool, CacheLead?, Fault?> told) : CacheWaiter
{
    /// <summary>Told once, by whoever takes it out of its flight.</summary>
    public Action<bool, CacheLead?, Fault?> Told => told;
}

/// <summary>
/// The remembered answers of a simulated route: the production policy, whose questions are numbers. One stripe; the
/// live cache has several, each with its part of the memory.
/// </summary>
internal sealed class RouteMemoryWorld
{
    private const int HeadMax = 512;

    private readonly CacheOptions _options;
    private readonly CachePolicy _policy;
    private readonly KeyHash _hash;
    private readonly CacheSubject _subject;
    private readonly CachedAnswer _answer;

    /// <summary>An empty one.</summary>
    /// <param name="route">The route's name.</param>
    /// <param name="options">Limits.</param>
    /// <param name="seed">Of the hash's key.</param>
    /// <param name="answerBytes">What an answer takes.</param>
    public RouteMemoryWorld(string route, CacheOptions options, int seed, int answerBytes = 64)
    {
        (_options, _policy, _subject) = (options, new(options, options.BytesMax), new(route, "1", new(route, "1")));
        var key = new byte[KeyHash.KeyBytes];
        new Random(seed).NextBytes(key);
        _hash = new(key);
        var outputs = new TensorSet();
        ref var tensor = ref outputs.Add();
        (tensor.Type, tensor.Shape, tensor.Data) = (DataType.UInt8, new([answerBytes]), new byte[answerBytes]);
        _answer = CachedAnswer.Copy(outputs);
    }

    /// <summary>What happened.</summary>
    public CacheCounts Counts => _policy.Counts;

    /// <summary>What a request does.</summary>
    public CacheDecision LookUp(long question, string tenant, Instant now)
    {
        Span<byte> head = stackalloc byte[HeadMax];
        var key = KeyOf(question, tenant, head);
        return _policy.LookUp(key, Known(key), refreshes: false, now);
    }

    /// <summary>What may be given because no model can answer.</summary>
    public CacheDecision LookUpAfterError(long question, string tenant, Instant now)
    {
        Span<byte> head = stackalloc byte[HeadMax];
        var key = KeyOf(question, tenant, head);
        return _policy.LookUpAfterError(key, Known(key), now);
    }

    /// <summary>The one that leads has an answer.</summary>
    public void Store(CacheLead lead, Instant now) => Tell(_policy.Store(lead, _answer, now), true, null);

    /// <summary>The one that leads has none.</summary>
    public void Fail(CacheLead lead, Fault fault, Instant now)
    {
        var waiters = _policy.Fail(lead, LeadEnds.Of(fault.Kind), now, out var next);
        if (next is var (waiter, taken))
            ((RouteWaiter)waiter).Told(false, taken, null);
        Tell(waiters, false, fault);
    }

    /// <summary>Forgets every answer.</summary>
    public void Clear() => _policy.Clear(int.MaxValue);

    private static void Tell(CacheWaiter? waiters, bool answered, Fault? fault)
    {
        while (waiters is RouteWaiter waiter)
        {
            waiters = waiter.Next;
            waiter.Told(answered, null, fault);
        }
    }

    private CacheKey KeyOf(long question, string tenant, Span<byte> head)
    {
        var request = new InferenceRequest();
        var data = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(data, question);
        ref var tensor = ref request.Inputs.Add();
        (tensor.Type, tensor.Shape, tensor.Data) = (DataType.Int64, new([1L]), data);
        var scope = _options.Scope is CacheScope.Shared ? "" : tenant;
        return CacheKey.Of(_subject, scope, request, [], head, _hash);
    }

    private CacheKnown Known(in CacheKey key)
    {
        var entry = _policy.Find(key.Hash);
        return new(entry is not null && key.Equals(entry.Key) ? entry : null, entry is null ? key.Copy() : null);
    }
}

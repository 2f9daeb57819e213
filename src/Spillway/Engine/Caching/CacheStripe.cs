using Spillway.Policies.Caching;

namespace Spillway.Engine.Caching;

/// <summary>
/// The part of the cache whose hashes end alike: one policy under one short lock. Keys are compared and copied, and
/// those that wait are told, outside it.
/// </summary>
/// <param name="options">Limits.</param>
/// <param name="bytesMax">This part's.</param>
/// <param name="clock">Of deadlines.</param>
internal sealed class CacheStripe(CacheOptions options, long bytesMax, Clock clock) : IDisposable
{
    /// <summary>Waiters that are kept for reuse.</summary>
    private const int SpareMax = 64;

    /// <summary>Entries that are dropped under one hold of the lock: some 20 µs.</summary>
    private const int SweepMax = 256;

    private readonly Lock _lock = new();
    private readonly CachePolicy _policy = new(options, bytesMax);
    private readonly Stack<CacheJoiner> _spare = new(SpareMax);
    private bool _disposed;

    /// <summary>What happened, and what there is.</summary>
    public CacheCounts Counts
    {
        get
        {
            lock (_lock)
                return _policy.Counts;
        }
    }

    public CacheDecision LookUp(in CacheKey key, bool refreshes, Instant now)
    {
        var known = Prepare(key, copies: true);
        lock (_lock)
        {
            var decision = _policy.LookUp(key, known, refreshes, now);
            if (decision.Flight is not { } flight)
                return decision;
            if (!_spare.TryPop(out var joiner))
                joiner = new(this, clock);
            CachePolicy.Add(flight, joiner);
            return decision with { Waiter = joiner };
        }
    }

    public CacheDecision LookUpAfterError(in CacheKey key, Instant now)
    {
        var known = Prepare(key, copies: false);
        lock (_lock)
            return _policy.LookUpAfterError(key, known, now);
    }

    public bool Remembers(in CacheKey key, Instant now)
    {
        var known = Prepare(key, copies: false);
        lock (_lock)
            return _policy.Remembers(key, known, now);
    }

    public void Store(CacheLead lead, CachedAnswer answer, Instant now)
    {
        CacheWaiter? waiters;
        lock (_lock)
            waiters = _policy.Store(lead, answer, now);
        Tell(waiters, new(answer));
    }

    public void Fail(CacheLead lead, LeadEnd end, Fault fault, Instant now)
    {
        CacheWaiter? waiters;
        (CacheWaiter Waiter, CacheLead Lead)? next;
        lock (_lock)
            waiters = _policy.Fail(lead, end, now, out next);
        if (next is var (waiter, taken))
            ((CacheJoiner)waiter).Tell(new(null, taken));
        Tell(waiters, new(null, null, fault));
    }

    public void Clear()
    {
        int dropped;
        do
        {
            lock (_lock)
                dropped = _policy.Clear(SweepMax);
        }
        while (dropped == SweepMax);
    }

    /// <summary>A waiter goes first; false when it was told something already.</summary>
    public bool TryLeave(CacheJoiner waiter)
    {
        lock (_lock)
            return CachePolicy.Leave(waiter);
    }

    /// <summary>A waiter's timer came; true when its deadline has come too and it goes.</summary>
    public bool TryLeaveLate(CacheJoiner waiter)
    {
        lock (_lock)
            return waiter.IsLate() && CachePolicy.Leave(waiter);
    }

    /// <summary>A waiter's deadline; nothing is set when it was told something already.</summary>
    public void Arm(CacheJoiner waiter, Instant deadline)
    {
        lock (_lock)
            waiter.Arm(deadline);
    }

    /// <summary>A waiter was read to the end.</summary>
    public void Return(CacheJoiner waiter)
    {
        lock (_lock)
        {
            if (!_disposed && _spare.Count < SpareMax)
            {
                _spare.Push(waiter);
                return;
            }
        }

        waiter.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
            _disposed = true;
        while (_spare.TryPop(out var waiter))
            waiter.Dispose();
    }

    private CacheKnown Prepare(in CacheKey key, bool copies)
    {
        CacheEntry? entry;
        lock (_lock)
            entry = _policy.Find(key.Hash);
        if (entry is null)
            return new(null, copies ? key.Copy() : null);
        return new(key.Equals(entry.Key) ? entry : null, null);
    }

    private static void Tell(CacheWaiter? waiters, CacheOutcome outcome)
    {
        while (waiters is CacheJoiner waiter)
        {
            // Read before it is told: a moment later it may wait for something else.
            waiters = waiter.Next;
            waiter.Tell(outcome);
        }
    }
}

namespace Spillway.Policies.Caching;

/// <summary>
/// A question that is being asked, by one request that leads, with others that wait for it in the order in which they
/// came. Owned by its policy.
/// </summary>
/// <param name="entry">The question.</param>
/// <param name="began">When the one that leads began.</param>
internal sealed class CacheFlight(CacheEntry entry, Instant began)
{
    private CacheWaiter? _newest;

    /// <summary>The question.</summary>
    public CacheEntry Entry => entry;

    /// <summary>When the one that leads began.</summary>
    public Instant Began { get; private set; } = began;

    /// <summary>Which of those that led one after the other; -1 when it is over.</summary>
    public int Turn { get; private set; }

    /// <summary>Those that led and failed.</summary>
    public int Failures { get; set; }

    /// <summary>Those that wait.</summary>
    public int Waiting { get; private set; }

    /// <summary>The one that came first, from which <see cref="CacheWaiter.Next"/> leads to the others.</summary>
    public CacheWaiter? Oldest { get; private set; }

    /// <summary>Another leads.</summary>
    public CacheLead Lead(Instant now)
    {
        (Began, Turn) = (now, Turn + 1);
        return new(this, Turn);
    }

    /// <summary>It is over: nobody leads it any more, and those that wait are handed out, linked.</summary>
    public CacheWaiter? End()
    {
        var waiters = Oldest;
        for (var waiter = waiters; waiter is not null; waiter = waiter.Next)
            waiter.Flight = null;
        (Turn, Oldest, _newest, Waiting) = (-1, null, null, 0);
        return waiters;
    }

    /// <summary>One more waits.</summary>
    public void Add(CacheWaiter waiter)
    {
        (waiter.Flight, waiter.Last, waiter.Next) = (this, _newest, null);
        if (_newest is not null)
            _newest.Next = waiter;
        else
            Oldest = waiter;
        _newest = waiter;
        Waiting++;
    }

    /// <summary>One waits no longer.</summary>
    public void Remove(CacheWaiter waiter)
    {
        if (waiter.Last is not null)
            waiter.Last.Next = waiter.Next;
        else
            Oldest = waiter.Next;
        if (waiter.Next is not null)
            waiter.Next.Last = waiter.Last;
        else
            _newest = waiter.Last;
        (waiter.Flight, waiter.Last, waiter.Next) = (null, null, null);
        Waiting--;
    }
}

/// <summary>A request that waits for another's answer.</summary>
internal class CacheWaiter
{
    /// <summary>What it waits for; null when it no longer does.</summary>
    public CacheFlight? Flight { get; set; }

    /// <summary>The one that came after it.</summary>
    public CacheWaiter? Next { get; set; }

    /// <summary>The one that came before it.</summary>
    public CacheWaiter? Last { get; set; }
}

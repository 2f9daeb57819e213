namespace Spillway.Policies.Caching;

/// <summary>
/// Which questions are answered from memory, and who asks what is not. Pure state, one owner, explicit time.
/// <code>
/// Find     -> the entry of a hash, whose key the owner compares with the question, outside its lock where it has one
/// LookUp   -> Hit, Stale:    answer; Stale with a lead: ask anew beside, then Store or Fail
///          -> Miss, Refresh: ask; then Store or Fail, exactly once, however it ended
///          -> Join:          Add a waiter; Store and Fail hand it out, or Leave when its caller goes first
///          -> Bypass:        ask; nothing more to do here
/// </code>
/// The rules:
/// <list type="number">
/// <item>An answer is only given to a question of which every byte is the same; a hash alone never is enough.</item>
/// <item>Keys, also of what is being asked, and answers with what they cost to keep never exceed the bytes.</item>
/// <item>What is being asked is never evicted. Where no room can be made for another question it goes on without
/// the cache.</item>
/// <item>One request leads, others wait for it. When it fails the one that waited longest leads, up to
/// <see cref="LeadersMax"/> failures; then all get the last fault. Those that left are no failures.</item>
/// <item>An answer never takes the place of one that was asked for later.</item>
/// </list>
/// </summary>
/// <param name="options">Limits.</param>
/// <param name="bytesMax">The part of the bytes that this one has.</param>
internal sealed class CachePolicy(CacheOptions options, long bytesMax)
{
    /// <summary>Leaders of one flight that may fail: a second chance, and one more for bad luck.</summary>
    public const int LeadersMax = 3;

    private readonly TimeSpan _fresh = Ms(options.TtlMs);
    private readonly TimeSpan _stale = Ms(options.TtlMs + options.StaleWhileRevalidateMs);
    private readonly TimeSpan _afterError = Ms(options.TtlMs + options.StaleIfErrorMs);
    private readonly TimeSpan _useful = Ms(Useful(options));
    private readonly CacheShelf _shelf = new(bytesMax, options.EntryBytesMax, Ms(Useful(options)));

    /// <summary>What happened, and what there is.</summary>
    public CacheCounts Counts => _shelf.Counts;

    /// <summary>The entry of a hash, whatever its key is.</summary>
    public CacheEntry? Find(UInt128 hash) => _shelf.Find(hash);

    /// <summary>A request came.</summary>
    /// <param name="key">Its question.</param>
    /// <param name="known">What the owner has compared and prepared before.</param>
    /// <param name="refreshes">It does not want what is remembered.</param>
    /// <param name="now">The instant.</param>
    public CacheDecision LookUp(
        in CacheKey key, in CacheKnown known, bool refreshes, Instant now)
    {
        var entry = Find(key.Hash);
        if (entry is not null && !IsSame(entry, key, known))
            return Bypass(CacheReason.Collision);
        if (refreshes)
            return Refresh(key, known, now);
        var reason = CacheReason.Unknown;
        if (entry?.Answer is { } answer)
        {
            if (Look(entry, answer, now) is { } given)
                return given;
            reason = CacheReason.Expired;
            if (now - entry.StoredAt >= _useful)
            {
                _shelf.DropAnswer(entry);
                entry = Find(key.Hash);
            }
        }

        if (entry?.Flight is { } flight)
            return Join(flight);
        if (entry is null)
        {
            if (_shelf.Make(key, known, now) is not { } made)
                return Bypass(CacheReason.NoRoom);
            _shelf.Enter(entry = made);
        }

        _shelf.Counts.Misses++;
        return new(CacheStep.Miss, reason) { Lead = Fly(entry, now) };
    }

    /// <summary>A request that joins: to be called with its decision, before anything else.</summary>
    public static void Add(CacheFlight flight, CacheWaiter waiter) => flight.Add(waiter);

    /// <summary>A request that waits goes first; false when it was handed out already.</summary>
    public static bool Leave(CacheWaiter waiter)
    {
        if (waiter.Flight is not { } flight)
            return false;
        flight.Remove(waiter);
        return true;
    }

    /// <summary>The model cannot answer: something old that may be given then.</summary>
    public CacheDecision LookUpAfterError(in CacheKey key, in CacheKnown known, Instant now)
    {
        if (Find(key.Hash) is not { Answer: { } answer } entry || !IsSame(entry, key, known))
            return new(CacheStep.Bypass, CacheReason.Unknown);
        var age = now - entry.StoredAt;
        if (age >= _afterError)
            return new(CacheStep.Bypass, CacheReason.Expired);
        entry.Visited = true;
        _shelf.Counts.Stale++;
        return new(CacheStep.Stale, CacheReason.AfterError) { Answer = answer, Age = age };
    }

    /// <summary>Whether <see cref="LookUpAfterError"/> would give an answer now. Counts nothing.</summary>
    public bool Remembers(in CacheKey key, in CacheKnown known, Instant now) =>
        Find(key.Hash) is { Answer: not null } entry && IsSame(entry, key, known)
            && now - entry.StoredAt < _afterError;

    /// <summary>The one that leads has an answer.</summary>
    /// <param name="lead">Of its decision.</param>
    /// <param name="answer">For those that wait also when it cannot be kept.</param>
    /// <param name="now">The instant.</param>
    /// <returns>Those that waited, linked; null for none, and when this lead was over already.</returns>
    public CacheWaiter? Store(CacheLead lead, CachedAnswer answer, Instant now)
    {
        var (flight, entry) = (lead.Flight, lead.Flight.Entry);
        if (flight.Turn != lead.Turn)
            return null;
        var waiters = flight.End();
        // A refresh stood beside the entries.
        if (ReferenceEquals(entry.Flight, flight))
            entry.Flight = null;
        else if (!_shelf.TryEnter(ref entry))
            return waiters;
        _shelf.Keep(entry, answer, flight.Began, now);
        _shelf.Tidy(entry);
        return waiters;
    }

    /// <summary>The one that leads has no answer.</summary>
    /// <param name="lead">Of its decision.</param>
    /// <param name="end">Why.</param>
    /// <param name="now">The instant.</param>
    /// <param name="next">Leads from now on.</param>
    /// <returns>Those that get its fault, linked.</returns>
    public CacheWaiter? Fail(CacheLead lead, LeadEnd end, Instant now, out (CacheWaiter Waiter, CacheLead Lead)? next)
    {
        next = null;
        var (flight, entry) = (lead.Flight, lead.Flight.Entry);
        if (flight.Turn != lead.Turn)
            return null;
        flight.Failures += end is LeadEnd.Left ? 0 : 1;
        if (end is not LeadEnd.Hopeless && flight.Failures < LeadersMax && flight.Oldest is { } waiter)
        {
            flight.Remove(waiter);
            next = (waiter, flight.Lead(now));
            _shelf.Counts.Promotions++;
            return null;
        }

        var waiters = flight.End();
        if (ReferenceEquals(entry.Flight, flight))
        {
            entry.Flight = null;
            _shelf.Tidy(entry);
        }
        else
        {
            _shelf.Discard(entry);
        }

        return waiters;
    }

    /// <summary>Forgets answers; what is being asked goes on.</summary>
    /// <param name="most">At most so many, so that the owner's lock is short.</param>
    /// <returns>How many; fewer than asked for when there are no more.</returns>
    public int Clear(int most) => _shelf.Clear(most);

    private CacheDecision? Look(CacheEntry entry, CachedAnswer answer, Instant now)
    {
        var age = now - entry.StoredAt;
        if (age >= _stale)
            return null;
        entry.Visited = true;
        if (age < _fresh)
        {
            _shelf.Counts.Hits++;
            return new(CacheStep.Hit, CacheReason.Fresh) { Answer = answer, Age = age };
        }

        _shelf.Counts.Stale++;
        return new(CacheStep.Stale, CacheReason.Revalidating)
        {
            Answer = answer, Age = age, Lead = entry.Flight is null ? Fly(entry, now) : null,
        };
    }

    /// <summary>It stands beside the entries, so that nobody waits for it who is content with what there is.</summary>
    private CacheDecision Refresh(in CacheKey key, in CacheKnown known, Instant now)
    {
        if (_shelf.Make(key, known, now) is not { } beside)
            return Bypass(CacheReason.NoRoom);
        _shelf.Counts.Refreshes++;
        return new(CacheStep.Refresh, CacheReason.Asked) { Lead = new(new(beside, now), 0) };
    }

    private CacheDecision Join(CacheFlight flight)
    {
        if (flight.Waiting >= options.JoinersMax)
            return Bypass(CacheReason.TooManyJoin);
        _shelf.Counts.Joins++;
        return new(CacheStep.Join, CacheReason.InTheAir) { Flight = flight };
    }

    private CacheDecision Bypass(CacheReason reason)
    {
        _shelf.Counts.Bypasses++;
        return new(CacheStep.Bypass, reason);
    }

    private static CacheLead Fly(CacheEntry entry, Instant now)
    {
        entry.Flight = new(entry, now);
        return new(entry.Flight, 0);
    }

    private static bool IsSame(CacheEntry entry, in CacheKey key, in CacheKnown known) =>
        ReferenceEquals(entry, known.Same) || key.Equals(entry.Key);

    private static double Useful(CacheOptions options) =>
        options.TtlMs + Math.Max(options.StaleWhileRevalidateMs, options.StaleIfErrorMs);

    private static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);
}

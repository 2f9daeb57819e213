namespace Spillway.Policies.Rates;

/// <summary>
/// What one rate limit has left for those who share it. Ask with <see cref="Check"/>, then <see cref="Take"/>, then
/// <see cref="Leave"/> when the request is over. Pure, one owner, nothing allocated after the first requests.
/// </summary>
public sealed class RateState
{
    private readonly TokenBucket?[] _buckets;
    private readonly Places? _places;

    /// <summary>All of it is there.</summary>
    public RateState(RateOptions options)
    {
        Options = options;
        _buckets =
        [
            Bucket(options.RequestsPerSecond, options), Bucket(options.ItemsPerSecond, options),
            Bucket(options.BytesPerSecond, options), Bucket(options.TokensPerSecond, options),
        ];
        _places = options.Concurrency is { } places ? new(places, options.FairShares) : null;
    }

    /// <summary>As declared.</summary>
    public RateOptions Options { get; }

    /// <summary>Requests inside; 0 where concurrency is not limited.</summary>
    public int Inside => _places?.Inside ?? 0;

    /// <summary>Whether a request passes now; changes nothing.</summary>
    public RateVerdict Check(in RateAsk ask, Instant now)
    {
        var worst = default(RateVerdict);
        for (var unit = RateUnit.Requests; unit <= RateUnit.Tokens; unit++)
        {
            if (_buckets[(int)unit] is not { } bucket)
                continue;
            bucket.Fill(now);
            var wait = bucket.WaitFor(Amount(unit, ask), ask);
            if (wait > worst.Wait)
                worst = new(wait, unit);
        }

        return _places is null || _places.HasRoom(ask, now) ? worst : new(TimeSpan.MaxValue, RateUnit.Concurrency);
    }

    /// <summary>The request is in; after a check with a wait it owes what is not there yet.</summary>
    public void Take(in RateAsk ask, Instant now)
    {
        for (var unit = RateUnit.Requests; unit <= RateUnit.Tokens; unit++)
            _buckets[(int)unit]?.Take(Amount(unit, ask), ask);
        _places?.Enter(ask, now);
    }

    /// <summary>The request is over; true when that made a place free.</summary>
    public bool Leave(string tenant)
    {
        _places?.Leave(tenant);
        return _places is not null;
    }

    /// <summary>A request used fewer tokens than it took: the rest is there again, up to the bucket's size.</summary>
    public void GiveBack(in RateAsk ask, long tokens, Instant now)
    {
        if (tokens == 0 || _buckets[(int)RateUnit.Tokens] is not { } bucket)
            return;
        bucket.Fill(now);
        bucket.GiveBack(tokens, ask);
    }

    /// <summary>What the caller of a request has left, of what is shortest.</summary>
    public RateLeft Look(in RateAsk ask, Instant now)
    {
        var least = new RateLeft(0, 0, TimeSpan.Zero, RateUnit.Requests);
        for (var unit = RateUnit.Requests; unit <= RateUnit.Tokens; unit++)
        {
            var left = Look(unit, ask, now);
            if (left.Limit > 0 && (least.Limit == 0 || left.Share < least.Share))
                least = left;
        }

        if (_places is null)
            return least;
        var places = new RateLeft(_places.Count, _places.LeftFor(ask, now), TimeSpan.Zero, RateUnit.Concurrency);
        return least.Limit == 0 || places.Share < least.Share ? places : least;
    }

    /// <summary>What the caller of a request has left of one unit; a limit of 0 where that is not limited.</summary>
    /// <param name="unit">Any but concurrency.</param>
    /// <param name="ask">What it takes.</param>
    /// <param name="now">The present.</param>
    public RateLeft Look(RateUnit unit, in RateAsk ask, Instant now)
    {
        if (_buckets[(int)unit] is not { } bucket)
            return new(0, 0, TimeSpan.Zero, unit);
        bucket.Fill(now);
        return new((long)bucket.SizeFor(ask), Math.Max(0, (long)bucket.LeftFor(ask)), bucket.ResetFor(ask), unit);
    }

    private static double Amount(RateUnit unit, in RateAsk ask) => unit switch
    {
        RateUnit.Requests or RateUnit.Concurrency => 1,
        RateUnit.Items => ask.Items,
        RateUnit.Bytes => ask.Bytes,
        RateUnit.Tokens => ask.Tokens,
    };

    private static TokenBucket? Bucket(double? perSecond, RateOptions options)
    {
        if (perSecond is not { } rate)
            return null;
        var size = Math.Max(1, rate * options.BurstSeconds);
        return options.FairShares ? new FairBucket(rate, size) : new TokenBucket(rate, size);
    }
}

using Spillway.Policies.Sharing;

namespace Spillway.Policies.Rates;

/// <summary>
/// Places for requests at once. With fair shares each tenant that was inside of late is kept its part by weight: others
/// may use it while it does not, but never so much that it would find none when it comes back within the same minute.
/// Pure, one owner.
/// </summary>
/// <param name="count">How many.</param>
/// <param name="isFair">Whether tenants are kept their parts.</param>
internal sealed class Places(int count, bool isFair)
{
    private const int PartsMax = 4096;

    /// <summary>A tenant that was silent for so long is kept nothing.</summary>
    private static readonly TimeSpan s_idle = TimeSpan.FromSeconds(10);

    private readonly TenantParts<Part> _parts = new(PartsMax, s_idle);

    /// <summary>How many there are.</summary>
    public int Count => count;

    /// <summary>Taken ones.</summary>
    public int Inside { get; private set; }

    /// <summary>Whether one is free for a request of that tenant.</summary>
    public bool HasRoom(in RateAsk ask, Instant now)
    {
        if (!isFair)
            return Inside < count;
        _parts.Forget(now, static part => part.Inside == 0);
        var own = Find(ask, now);
        return Inside < count && (own.Inside < Due(own) || count - Inside > KeptForOthers(own));
    }

    /// <summary>Takes one.</summary>
    public void Enter(in RateAsk ask, Instant now)
    {
        Inside++;
        if (isFair)
            Find(ask, now).Inside++;
    }

    /// <summary>Gives one back.</summary>
    public void Leave(string tenant)
    {
        Inside--;
        // One that came in with the common part may have a part of its own by now, in which nothing is.
        if (isFair && (_parts.Known(tenant) is { Inside: > 0 } own ? own : _parts.Known("")) is { } part)
            part.Inside--;
    }

    /// <summary>Free places for that tenant, for the headers.</summary>
    public int LeftFor(in RateAsk ask, Instant now) =>
        isFair ? Math.Clamp(count - Inside - KeptForOthers(Find(ask, now)), 0, count) : Math.Max(0, count - Inside);

    private int Due(Part part) => Math.Max(1, (int)(count * part.Weight / _parts.Weights));

    private int KeptForOthers(Part own)
    {
        var kept = 0;
        foreach (var part in _parts.All)
            kept += ReferenceEquals(part, own) ? 0 : Math.Max(0, Due(part) - part.Inside);
        return kept;
    }

    private Part Find(in RateAsk ask, Instant now) => _parts.Find(ask.Tenant, ask.Weight, now, out _);

    private sealed class Part : TenantPart
    {
        public int Inside { get; set; }
    }
}

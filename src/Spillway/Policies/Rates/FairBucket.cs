using Spillway.Policies.Sharing;

namespace Spillway.Policies.Rates;

/// <summary>
/// A token bucket that several tenants share by weight: what flows in is divided among those that asked of late, and
/// what one has no room for goes to a pool that all may draw from. So a tenant that asks for less than its part always
/// finds it, however much the others ask for; and a tenant alone has all of it. The tokens of all together never exceed
/// the bucket's size.
/// </summary>
internal sealed class FairBucket(double perSecond, double size) : TokenBucket(perSecond, size)
{
    /// <summary>The most tenants with a part of their own; more share the pool.</summary>
    private const int PartsMax = 4096;

    /// <summary>A tenant that was silent for so long gives its part up.</summary>
    private static readonly TimeSpan s_idle = TimeSpan.FromSeconds(10);

    private readonly TenantParts<Part> _parts = new(PartsMax, s_idle);
    private double _pool = size;
    private double _all = size;
    private Instant _now;

    /// <inheritdoc/>
    public override TimeSpan WaitFor(double tokens, in RateAsk ask)
    {
        var part = Find(ask);
        var own = OwnSize(part);
        var needed = Math.Min(tokens, own) - part.Tokens - Math.Max(0, _pool);
        var wait = Until(needed, PerSecond * part.Weight / _parts.Weights);
        // Parts of less than a token are rounded up to one: together they must not be more than there is.
        var forAll = Until(Math.Min(tokens, Size) - _all, PerSecond);
        return wait > forAll ? wait : forAll;
    }

    /// <inheritdoc/>
    public override void Take(double tokens, in RateAsk ask)
    {
        var part = Find(ask);
        var own = Math.Min(tokens, Math.Max(0, part.Tokens));
        var pooled = Math.Min(tokens - own, Math.Max(0, _pool));
        // What neither has, the tenant owes.
        part.Tokens -= tokens - pooled;
        _pool -= pooled;
        _all -= tokens;
    }

    /// <inheritdoc/>
    public override void GiveBack(double tokens, in RateAsk ask)
    {
        var part = Find(ask);
        var room = tokens < 0 ? tokens : Math.Clamp(OwnSize(part) - part.Tokens, 0, tokens);
        part.Tokens += room;
        // What its part has no room for anybody may have.
        _pool = Math.Max(0, Math.Min(_pool + Math.Max(0, tokens) - Math.Max(0, room), Size));
        _all = Math.Min(Size, _all + tokens);
    }

    /// <inheritdoc/>
    public override double LeftFor(in RateAsk ask) => Find(ask).Tokens + Math.Max(0, _pool);

    /// <inheritdoc/>
    public override double SizeFor(in RateAsk ask) => Math.Max(OwnSize(Find(ask)), LeftFor(ask));

    /// <inheritdoc/>
    public override TimeSpan ResetFor(in RateAsk ask)
    {
        var part = Find(ask);
        return Until(OwnSize(part) - part.Tokens, PerSecond * part.Weight / _parts.Weights);
    }

    /// <inheritdoc/>
    protected override void Flow(double tokens, Instant now)
    {
        _now = now;
        _all = Math.Min(Size, _all + tokens);
        // Who owes does not get rid of it by silence.
        foreach (var gone in _parts.Forget(now, static part => part.Tokens >= 0))
            _pool += gone.Tokens;
        var (over, held) = (_parts.Weights > 0 ? 0 : tokens, 0.0);
        foreach (var part in _parts.All)
        {
            part.Tokens += tokens * part.Weight / _parts.Weights;
            // With more tenants a part becomes smaller; what it held beyond goes to all.
            var room = OwnSize(part);
            over += Math.Max(0, part.Tokens - room);
            part.Tokens = Math.Min(part.Tokens, room);
            held += Math.Max(0, part.Tokens);
        }

        _pool = Math.Max(0, Math.Min(_pool + over, Size - held));
    }

    private double OwnSize(Part part) => Math.Max(1, Size * part.Weight / _parts.Weights);

    private Part Find(in RateAsk ask) => _parts.Find(ask.Tenant, ask.Weight, _now, out _);

    private sealed class Part : TenantPart
    {
        public double Tokens { get; set; }
    }
}

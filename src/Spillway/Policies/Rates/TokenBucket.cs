namespace Spillway.Policies.Rates;

/// <summary>
/// A token bucket: it fills at a rate up to its size, and a request takes out what it brings. Over any time T at most
/// size + rate * T are taken out at once. Pure, one owner.
/// </summary>
/// <param name="perSecond">Tokens that flow in, above 0.</param>
/// <param name="size">Tokens that it holds, at least 1.</param>
internal class TokenBucket(double perSecond, double size)
{
    private double _level = size;
    private Instant? _at;

    /// <summary>Tokens that flow in a second.</summary>
    public double PerSecond { get; } = perSecond;

    /// <summary>Tokens that it holds.</summary>
    public double Size { get; } = size;

    /// <summary>Brings it to an instant; a clock never goes back, and an earlier instant changes nothing.</summary>
    public void Fill(Instant now)
    {
        var passed = _at is { } at ? (now - at).TotalSeconds : 0;
        if (passed <= 0 && _at is not null)
            return;
        _at = now;
        Flow(passed * PerSecond, now);
    }

    /// <summary>
    /// How long until there is enough: zero when there is. A request larger than the bucket needs a full one, and then
    /// leaves it in debt, so that it is not refused for ever.
    /// </summary>
    public virtual TimeSpan WaitFor(double tokens, in RateAsk ask) => Until(Math.Min(tokens, Size) - _level, PerSecond);

    /// <summary>Takes tokens out; below zero it owes them.</summary>
    public virtual void Take(double tokens, in RateAsk ask) => _level -= tokens;

    /// <summary>
    /// Tokens that were taken and not used come back, up to its size; negative ones were used beyond what was taken,
    /// and are owed.
    /// </summary>
    public virtual void GiveBack(double tokens, in RateAsk ask) => _level = Math.Min(Size, _level + tokens);

    /// <summary>What a caller has left.</summary>
    public virtual double LeftFor(in RateAsk ask) => _level;

    /// <summary>The size that counts for a caller.</summary>
    public virtual double SizeFor(in RateAsk ask) => Size;

    /// <summary>Until what a caller has is full again.</summary>
    public virtual TimeSpan ResetFor(in RateAsk ask) => Until(Size - _level, PerSecond);

    /// <summary>Tokens flow in.</summary>
    protected virtual void Flow(double tokens, Instant now) => _level = Math.Min(Size, _level + tokens);

    /// <summary>The time in which so many tokens flow in, rounded up to a tick.</summary>
    protected static TimeSpan Until(double tokens, double perSecond)
    {
        if (tokens <= 0)
            return TimeSpan.Zero;
        var seconds = tokens / perSecond;
        return seconds > TimeSpan.FromDays(3650).TotalSeconds
            ? TimeSpan.FromDays(3650)
            : new((long)Math.Ceiling(seconds * TimeSpan.TicksPerSecond));
    }
}

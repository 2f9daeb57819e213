using Spillway.Policies.Pricing;

namespace Spillway.Engine.Billing;

/// <summary>
/// What one hardware costs while the server runs: each run pays for its own time, and what nobody ran is idle time.
/// Both together are the hour's price times the hours, to the nano-unit. Counts by the monotonic clock, so that a
/// clock that is set neither makes time nor takes it. Thread-safe.
/// </summary>
/// <param name="name">The device, or "model:…".</param>
/// <param name="hour">What an hour costs.</param>
/// <param name="began">When it begins to cost: with the first model on it.</param>
internal sealed class HardwareMeter(string name, Dated<Money> hour, Instant began)
{
    private readonly Lock _lock = new();
    private readonly List<DeploymentBilling> _members = [];
    private Instant _since = began;
    private Int128 _rest;
    private long _busy;
    private long _balance;

    /// <summary>The device, or "model:…".</summary>
    public string Name => name;

    /// <summary>A run of that price ended.</summary>
    public void Ran(long nano) => Interlocked.Add(ref _busy, nano);

    /// <summary>A deployment stands on it from now on.</summary>
    public void Join(DeploymentBilling member)
    {
        lock (_lock)
            _members.Add(member);
    }

    /// <summary>A deployment is gone.</summary>
    public void Leave(DeploymentBilling member)
    {
        lock (_lock)
            _members.Remove(member);
    }

    /// <summary>
    /// The price of idle time since the last look, and who stands on it. A run pays at its end, so a look in the middle
    /// of one finds too much idle time; later looks find the less, and the last one gives back what is left.
    /// </summary>
    /// <param name="now">The present.</param>
    /// <param name="wall">The same, for the day's price.</param>
    /// <param name="last">Whether no look comes after.</param>
    public (Money Idle, DeploymentBilling[] Members) Look(Instant now, DateTimeOffset wall, bool last)
    {
        lock (_lock)
        {
            var cost = ((Int128)hour.At(wall).Nano * Math.Max((now - _since).Ticks, 0)) + _rest;
            (var whole, _rest) = Int128.DivRem(cost, TimeSpan.TicksPerHour);
            _since = now;
            _balance += (long)whole - Interlocked.Exchange(ref _busy, 0);
            var idle = _balance > 0 || last ? _balance : 0;
            _balance -= idle;
            return (new(idle), [.. _members]);
        }
    }
}

using Spillway.Policies.Breaking;
using Spillway.Policies.Concurrency;
using Spillway.Policies.Measuring;

namespace Spillway.Policies.Routing;

/// <summary>One request at a target; goes back with its result, exactly once.</summary>
/// <param name="Breaker">The breaker's right.</param>
/// <param name="InFlight">Requests at the target when it was sent, itself included.</param>
/// <param name="SentAt">When.</param>
internal readonly record struct TargetPass(BreakerPass Breaker, int InFlight, Instant SentAt);

/// <summary>
/// What is known of one target of a route: its requests in flight, its latency, its breaker and its limit. Pure, one
/// owner; allocates only when made.
/// </summary>
/// <param name="name">For sentences.</param>
/// <param name="weight">Its part of the requests, relative to the others'; above 0.</param>
/// <param name="breaker">Its own.</param>
/// <param name="limit">Its own.</param>
/// <param name="memory">How long a slow answer is remembered.</param>
internal sealed class Target(string name, double weight, Breaker breaker, Gradient2 limit, TimeSpan memory)
{
    private PeakEwma _latency = new(memory);

    /// <summary>For sentences.</summary>
    public string Name => name;

    /// <summary>Relative to the others'; may change while requests are at it.</summary>
    public double Weight { get; set; } = weight;

    /// <summary>Whether it is left alone.</summary>
    public Breaker Breaker => breaker;

    /// <summary>How much it gets at once.</summary>
    public Gradient2 Limit => limit;

    /// <summary>Requests at it now.</summary>
    public int InFlight { get; private set; }

    /// <summary>Whether an answer was ever seen.</summary>
    public bool IsKnown => _latency.IsKnown;

    /// <summary>Whether it has room and is not left alone.</summary>
    public bool IsUsable(Instant now) => InFlight < limit.Limit && breaker.MayPass(now);

    /// <summary>Recent time to the first delta, in ticks.</summary>
    public double LatencyAt(Instant now) => _latency.At(now);

    /// <summary>A request is sent; the caller asked <see cref="IsUsable"/> at the same instant.</summary>
    public TargetPass Begin(Instant now) => new(breaker.Enter(now), ++InFlight, now);

    /// <summary>The first delta came. A target that fails fast does not look fast: faults are no latencies.</summary>
    public void Began(in TargetPass pass, Instant now)
    {
        // What was slow before it was left alone says nothing of the target that came back: it would wait long for its
        // part, though it is as fast as ever.
        if (pass.Breaker.IsProbe)
            _latency.Begin(now - pass.SentAt, now);
        else
            _latency.Observe(now - pass.SentAt, now);
        limit.Observe(now - pass.SentAt, pass.InFlight);
    }

    /// <summary>The request is over.</summary>
    /// <param name="pass">What <see cref="Begin"/> gave.</param>
    /// <param name="fault">How it failed; null when it did not.</param>
    /// <param name="retryAfter">What the target asked to wait; null when it did not say.</param>
    /// <param name="now">The present.</param>
    public void Ended(in TargetPass pass, FaultKind? fault, TimeSpan? retryAfter, Instant now)
    {
        InFlight--;
        breaker.Ended(pass.Breaker, fault, retryAfter, now);
        if (fault is FaultKind.UpstreamThrottled)
            limit.Dropped();
        else if (fault is FaultKind.UpstreamTimeout)
        {
            limit.Dropped();
            _latency.Observe(now - pass.SentAt, now);
        }
    }
}

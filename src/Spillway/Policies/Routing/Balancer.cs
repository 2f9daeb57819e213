using System.Globalization;
using Spillway.Policies.Breaking;

namespace Spillway.Policies.Routing;

/// <summary>
/// Spreads requests over targets by the power of two choices: one is drawn by weight, a second one by weight among the
/// rest, and the second gets the request when the first is clearly more loaded. Load is the recent latency times the
/// requests in flight by weight. Targets that are left alone or full are not drawn. Pure apart from the draw; one
/// owner; nothing is allocated in a choice.
/// </summary>
/// <remarks>
/// M. Mitzenmacher, "The power of two choices in randomized load balancing" (1996); latency as in Finagle's PeakEwma.
/// Weights decide who is drawn and what in-flight counts, never the latency: an idle route follows its weights exactly,
/// a loaded one fills each target in proportion.
/// </remarks>
internal sealed class Balancer
{
    /// <summary>The most targets of a route: one bit each of the set that a request has tried.</summary>
    public const int TargetsMax = 64;

    private readonly BalancerOptions _options;
    private readonly Target[] _targets;
    private readonly Breaker[] _breakers;
    private readonly double _meanWeight;

    /// <summary>Over these targets.</summary>
    /// <param name="options">The limits.</param>
    /// <param name="targets">1 to <see cref="TargetsMax"/>.</param>
    public Balancer(BalancerOptions options, IReadOnlyList<Target> targets)
    {
        ArgumentOutOfRangeException.ThrowIfZero(targets.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(targets.Count, TargetsMax);
        (_options, _targets) = (options, [.. targets]);
        _breakers = [.. targets.Select(target => target.Breaker)];
        _meanWeight = targets.Average(target => target.Weight);
    }

    /// <summary>The targets, by their index.</summary>
    public IReadOnlyList<Target> Targets => _targets;

    /// <summary>Chooses; takes nothing.</summary>
    /// <param name="now">The present.</param>
    /// <param name="random">The draw.</param>
    /// <param name="tried">
    /// Targets that this request has tried, one bit each; they are asked again only when no other one may be.
    /// </param>
    public Choice Choose(Instant now, Random random, ulong tried = 0)
    {
        var (usable, weights, count) = Usable(now, tried);
        if (count == 0 && tried != 0)
            (usable, weights, count) = Usable(now, tried: 0);
        if (count == 0)
            return None(now);
        if (Probe(usable, now) is var probe and >= 0)
            return new(probe, ChoiceReason.Probe);
        var first = Draw(usable, weights, random);
        if (count == 1)
            return new(first, ChoiceReason.OnlyOne);
        var second = Draw(usable & ~(1UL << first), weights - _targets[first].Weight, random);
        var (load, other) = (Load(first, now), Load(second, now));
        return load > other * _options.Margin
            ? new(second, ChoiceReason.LessLoaded, first, other, load)
            : new(first, ChoiceReason.Weight, second, load, other);
    }

    /// <summary>
    /// How long a newcomer would wait before a target may be asked: no time while one has room, until the first is
    /// tried out again while all are left alone, else until those before it have had their turns. A target with n
    /// places and a latency t gives n / t turns in a time (Little's law).
    /// </summary>
    /// <param name="waiting">Who stands in line already.</param>
    /// <param name="now">The present.</param>
    public TimeSpan PredictWait(int waiting, Instant now)
    {
        var turns = 0.0;
        for (var i = 0; i < _targets.Length; i++)
        {
            var it = _targets[i];
            if (!it.Breaker.MayPass(now))
                continue;
            if (waiting == 0 && it.IsUsable(now))
                return TimeSpan.Zero;
            if (it.IsKnown && it.LatencyAt(now) is > 0 and var latency)
                turns += it.Limit.Limit / latency;
        }

        if (turns > 0)
            return new((long)((waiting + 1) / turns));
        var (_, at) = Breaker.SoonestOf(_breakers, now);
        return at > now ? at - now : TimeSpan.Zero;
    }

    /// <summary>The choice as a sentence, for the record of the request.</summary>
    public string Explain(in Choice choice)
    {
        var name = choice.Target < 0 ? "" : _targets[choice.Target].Name;
        var other = choice.Other < 0 ? "" : _targets[choice.Other].Name;
        var (load, otherLoad) = (Ms(choice.Load), Ms(choice.OtherLoad));
        return choice.Reason switch
        {
            ChoiceReason.OnlyOne => $"{name}: no other target may be used now",
            ChoiceReason.Weight => $"{name}: drawn by weight, load {load} ms ({other}: {otherLoad} ms)",
            ChoiceReason.LessLoaded => $"{name}: load {load} ms, less than {other} with {otherLoad} ms",
            ChoiceReason.Probe => $"{name}: tried out after it was left alone",
            ChoiceReason.AllOpen => $"none: every target is left alone, the first for {Ms(choice.Wait.Ticks)} ms more",
            ChoiceReason.AllFull => "none: every target has as many requests as it may have",
        };
    }

    private (ulong Usable, double Weights, int Count) Usable(Instant now, ulong tried)
    {
        var (usable, weights, count) = (0UL, 0.0, 0);
        for (var i = 0; i < _targets.Length; i++)
        {
            if ((tried >> i & 1) != 0 || !_targets[i].IsUsable(now))
                continue;
            usable |= 1UL << i;
            weights += _targets[i].Weight;
            count++;
        }

        return (usable, weights, count);
    }

    /// <summary>
    /// A target to try out goes first: drawn like the others it could wait for long, because what is remembered of it
    /// is bad; and few requests at a time do so.
    /// </summary>
    private int Probe(ulong usable, Instant now)
    {
        for (var i = 0; i < _targets.Length; i++)
        {
            if ((usable >> i & 1) != 0 && _targets[i].Breaker.WantsProbe(now))
                return i;
        }

        return -1;
    }

    private int Draw(ulong among, double weights, Random random)
    {
        var (drawn, left) = (-1, random.NextDouble() * weights);
        for (var i = 0; i < _targets.Length; i++)
        {
            if ((among >> i & 1) == 0)
                continue;
            drawn = i;
            left -= _targets[i].Weight;
            if (left < 0)
                break;
        }

        return drawn;
    }

    private double Load(int target, Instant now)
    {
        var it = _targets[target];
        var queue = 1 + (it.InFlight * _meanWeight / it.Weight);
        // Nothing is known before the first answer: one request finds out, and no second one waits behind it.
        if (!it.IsKnown)
            return it.InFlight == 0 ? 0 : TimeSpan.TicksPerMinute * queue;
        // Below a tenth of a millisecond latencies are noise, and what is in flight tells more.
        return Math.Max(it.LatencyAt(now), TimeSpan.TicksPerMillisecond / 10) * queue;
    }

    private Choice None(Instant now)
    {
        var (_, at) = Breaker.SoonestOf(_breakers, now);
        return at <= now ? new(-1, ChoiceReason.AllFull) : new(-1, ChoiceReason.AllOpen, Wait: at - now);
    }

    private static string Ms(double ticks) =>
        (ticks / TimeSpan.TicksPerMillisecond).ToString("0.#", CultureInfo.InvariantCulture);
}

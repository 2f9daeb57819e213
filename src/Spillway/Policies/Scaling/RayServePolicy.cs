namespace Spillway.Policies.Scaling;

/// <summary>Scales as Ray Serve does: requests of each replica, a delay counted in decisions that agree.</summary>
/// <remarks>ray-project/ray, python/ray/serve/autoscaling_policy.py.</remarks>
/// <param name="options">Target, factors and delays.</param>
/// <param name="least">The fewest replicas: its rule holds to them before it counts agreement.</param>
/// <param name="most">The most replicas.</param>
internal sealed class RayServePolicy(RayServeOptions options, int least, int most) : IScalingPolicy
{
    private readonly WindowMean _ongoing = new(TimeSpan.FromMilliseconds(options.LookBackMs));
    private int _agreed;

    /// <inheritdoc/>
    public string Name => ScalingCatalogue.RayServe;

    /// <inheritdoc/>
    public TimeSpan Every => TimeSpan.FromMilliseconds(options.EveryMs);

    /// <summary>The number of replicas before any delay.</summary>
    /// <param name="current">Replicas; above zero.</param>
    /// <param name="total">Requests of all of them, waiting ones included.</param>
    /// <param name="target">What each should have.</param>
    /// <param name="factor">The part of the way to go, by direction.</param>
    public static int Wish(int current, double total, double target, (double Up, double Down) factor)
    {
        // Ray computes the wish as a float; the error of the product matters where it is a whole number.
        var wish = current * (total / (target * current));
        var scaled = Math.Ceiling(current + ((wish > current ? factor.Up : factor.Down) * (wish - current)));
        // A small factor would else keep one replica too many for ever.
        if (Math.Ceiling(wish) < current && (int)scaled == current)
            scaled--;
        return (int)Math.Clamp(scaled, 0, int.MaxValue / 2);
    }

    /// <inheritdoc/>
    public ScalingDecision Decide(in ScalingObservation seen, Instant now)
    {
        _ongoing.Add(seen.Ongoing, now);
        var total = _ongoing.At(now);
        if (double.IsNaN(total))
            return ScalingDecision.Of(seen.Wanted, $"nothing was measured, so it stays at {seen.Wanted}");
        if (seen.Wanted == 0)
            return FromZero(seen);
        var raw = Wish(seen.Wanted, total, options.TargetOngoing,
            (options.UpscalingFactor, options.DownscalingFactor));
        var wish = Math.Clamp(raw, least, most);
        // None only from one: the last replica has a delay of its own.
        if (wish == 0 && seen.Wanted > 1)
            wish = 1;
        return Delayed(seen.Wanted, wish, total);
    }

    private ScalingDecision FromZero(in ScalingObservation seen)
    {
        _agreed = 0;
        if (!(seen.Ongoing > 0))
            return new(0, "nobody asks");
        var first = Math.Max((int)Math.Ceiling(options.UpscalingFactor), least);
        return ScalingDecision.Of(Math.Min(first, most), $"{seen.Ongoing:0.#} requests wait and there is no replica");
    }

    private ScalingDecision Delayed(int current, int wish, double total)
    {
        var direction = Math.Sign(wish - current);
        if (direction == 0 || Math.Sign(_agreed) != direction)
            _agreed = 0;
        _agreed += direction;
        var delay = direction > 0 ? options.UpscaleDelayMs
            : wish == 0 && options.DownscaleToZeroDelayMs >= 0 ? options.DownscaleToZeroDelayMs
            : options.DownscaleDelayMs;
        var needed = (int)(delay / options.EveryMs);
        if (direction != 0 && Math.Abs(_agreed) > needed)
        {
            _agreed = 0;
            return ScalingDecision.Of(
                wish, $"{total:0.#} requests of {options.TargetOngoing:0.##} a replica, long enough");
        }

        return direction == 0
            ? ScalingDecision.Of(
                current, $"{total:0.#} requests of {options.TargetOngoing:0.##} a replica: as many as there are")
            : ScalingDecision.Of(
                current, $"{total:0.#} requests ask for {wish}, {Math.Abs(_agreed)} of {needed + 1} times in a row");
    }
}

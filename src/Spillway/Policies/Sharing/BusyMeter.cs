namespace Spillway.Policies.Sharing;

/// <summary>How much was wanted lately: a mean over time that forgets with <see cref="BusyMeter.Memory"/>.</summary>
/// <param name="Weight">Summed weights of those who wanted the device.</param>
/// <param name="Runs">Runs at once that they wanted.</param>
public readonly record struct Busyness(double Weight, double Runs)
{
    /// <summary>The rest, after the taker's own part.</summary>
    public Busyness Less(Busyness own) => new(Math.Max(Weight - own.Weight, 0), Math.Max(Runs - own.Runs, 0));
}

/// <summary>Keeps a <see cref="Busyness"/>. Pure; a value, one owner.</summary>
public struct BusyMeter
{
    /// <summary>
    /// Time constant of the mean. 500 ms: several runs of the longest usual models, so that one who takes a turn in ten
    /// counts as a tenth; and a flood is known before a queue of deadlines of 250 ms is lost twice.
    /// </summary>
    public static readonly TimeSpan Memory = TimeSpan.FromMilliseconds(500);

    private Busyness _mean;
    private Busyness _present;
    private Instant _at;

    /// <summary>From now on this much more is wanted; negative for less.</summary>
    public void Add(double weight, double runs, Instant now)
    {
        _mean = At(now);
        _at = now;
        _present = new(_present.Weight + weight, _present.Runs + runs);
    }

    /// <summary>The mean as it stands at an instant.</summary>
    public readonly Busyness At(Instant now)
    {
        var kept = Math.Exp(-Math.Max((now - _at).Ticks, 0) / (double)Memory.Ticks);
        return new(
            _present.Weight + ((_mean.Weight - _present.Weight) * kept),
            _present.Runs + ((_mean.Runs - _present.Runs) * kept));
    }
}

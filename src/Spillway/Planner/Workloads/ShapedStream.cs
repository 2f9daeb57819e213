using Spillway.Planner.Plans;

namespace Spillway.Planner.Workloads;

/// <summary>
/// Arrivals of a given kind along a <see cref="RateShape"/>: a process of mean rate 1 whose time is stretched by the
/// rate. Bursts are those of the load generator: a two-state Markov-modulated Poisson process, a fifth of the time at
/// three times the mean and else at half of it (Heffes and Lucantoni, 1986), whose states last as the wanted index of
/// dispersion says.
/// </summary>
public sealed class ShapedStream : IArrivalStream
{
    private const double FastShare = 0.2;
    private const double FastFactor = 3;
    private const double SlowFactor = 0.5;

    private readonly WorkloadOptions _options;
    private readonly RateShape _shape;
    private readonly Chance _gaps;
    private readonly Chance _sizes;
    private readonly double _end;
    private readonly ZipfKeys? _keys;
    private readonly double _switching;
    private bool _fast;
    private double _stateLeft;
    private double _now;

    /// <summary>A stream.</summary>
    /// <param name="options">The workload.</param>
    /// <param name="shape">Its rate here.</param>
    /// <param name="seconds">When it ends.</param>
    /// <param name="seed">Of the plan.</param>
    /// <param name="name">Unlike that of any other stream.</param>
    /// <param name="keys">What repeats; null when nothing does.</param>
    public ShapedStream(
        WorkloadOptions options, RateShape shape, double seconds, long seed, string name, ZipfKeys? keys = null)
    {
        (_options, _shape, _end, _keys) = (options, shape, seconds, keys);
        (_gaps, _sizes) = (new(seed, $"{name} gaps"), new(seed, $"{name} sizes"));
        // I = 1 + 2 / S at a mean rate of 1.
        _switching = options.Dispersion is > 1 and var index ? 2 / (index - 1) : 0;
        _fast = _gaps.Next() < FastShare;
        _stateLeft = StateTime();
    }

    /// <inheritdoc/>
    public bool Next(out Arrival arrival)
    {
        arrival = default;
        Advance(_options.Arrivals switch
        {
            ArrivalKind.Poisson => _gaps.Exponential(),
            ArrivalKind.Constant or ArrivalKind.Trace => 1,
            ArrivalKind.Bursty => Burst(),
        });
        if (_now >= _end)
            return false;
        arrival.At = new((long)(_now * TimeSpan.TicksPerSecond));
        arrival.Size = Draw(_options.Size);
        arrival.TokensIn = _options.TokensIn is { } read ? Math.Max(1, (int)Math.Round(Draw(read))) : 0;
        arrival.TokensOut = _options.TokensOut is { } written ? Math.Max(1, (int)Math.Round(Draw(written))) : 0;
        arrival.Key = _keys is null || (_options.Repeats!.UniqueShare > 0
            && _sizes.Next() < _options.Repeats.UniqueShare)
            ? -1 : _keys.Draw(_sizes);
        return true;
    }

    private double Draw(AmountOptions amount)
    {
        var drawn = _sizes.LogNormal(amount.Mean, amount.Variation);
        return amount.Max is { } most && drawn > most ? most : drawn;
    }

    /// <summary>Moves on until so many arrivals are expected to have come.</summary>
    private void Advance(double arrivals)
    {
        if (_shape.IsFlat)
        {
            _now += arrivals / _shape.At(0);
            return;
        }

        while (_now < _end)
        {
            var until = Math.Floor(_now) + 1;
            var rate = Math.Max(0, _shape.At(Math.Floor(_now)));
            if (rate * (until - _now) >= arrivals)
            {
                _now += arrivals / rate;
                return;
            }

            arrivals -= rate * (until - _now);
            _now = until;
        }
    }

    /// <summary>The gap to the next arrival of the modulated process, in time of mean rate 1.</summary>
    private double Burst()
    {
        for (var gap = 0.0; ;)
        {
            var next = _gaps.Exponential() / (_fast ? FastFactor : SlowFactor);
            if (next < _stateLeft)
            {
                _stateLeft -= next;
                return gap + next;
            }

            gap += _stateLeft;
            _fast = !_fast;
            _stateLeft = StateTime();
        }
    }

    private double StateTime() => _switching <= 0 ? double.PositiveInfinity
        : _gaps.Exponential() / (_fast ? (1 - FastShare) * _switching : FastShare * _switching);
}

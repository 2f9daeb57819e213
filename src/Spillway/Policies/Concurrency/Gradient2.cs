using System.Globalization;

namespace Spillway.Policies.Concurrency;

/// <summary>
/// How many requests a target gets at once: grows while its time to the first delta stays near the usual one, falls
/// when that rises, because requests then queue at the target where nobody can shed them. Pure, one owner; allocates
/// only when made.
/// </summary>
/// <remarks>
/// Netflix concurrency-limits, Gradient2Limit: gradient = clamp(tolerance * long / short, 0.5, 1); new = limit *
/// gradient + queue; limit = (1 - s) * limit + s * new; no change while less than half the limit is in use; the long
/// mean decays when it is more than twice the short time. Fed by the time to the first delta and not the whole one:
/// that grows with the length of an answer. Gradient2 takes no notice of refusals, and with its queue of 4 never falls
/// below 8; here a refusal or a time-out takes a tenth, as in the same library's AIMDLimit, down to the least. And
/// where every place is always taken, the long mean learns the queue that the limit itself makes, and both drift up
/// without end: so after a sixth of a window of that the limit is halved for <see cref="LookSamples"/> answers, as
/// Envoy's adaptive concurrency does to measure its minRTT. If they are quicker, their time is the usual one and the
/// look goes on from there; if not, nothing was queueing and the limit is back.
/// </remarks>
internal sealed class Gradient2
{
    /// <summary>Left of the limit after a refusal or a time-out.</summary>
    public const double DropFactor = 0.9;

    /// <summary>Answers with half the limit that are compared with the usual ones.</summary>
    public const int LookSamples = 10;

    /// <summary>What is not quicker by this is noise.</summary>
    private const double Quicker = 1.15;

    private const int WarmUp = 10;

    private readonly AdaptiveLimitOptions _options;
    private double _limit;
    private double _usual;
    private double _newest;
    private int _seen;
    private int _fullFor;
    private int _looked = -1;
    private double _lookSum;
    private double _limitBefore;

    /// <summary>At its beginning.</summary>
    public Gradient2(AdaptiveLimitOptions options)
    {
        _options = options;
        var most = Math.Max(options.Min, options.Max);
        _limit = options.Enabled ? Math.Clamp(options.Initial, options.Min, most) : most;
    }

    /// <summary>Requests at once; at least 1.</summary>
    public int Limit => Math.Max(1, (int)_limit);

    /// <summary>The first delta of a request came.</summary>
    /// <param name="toFirstDelta">Since it was sent.</param>
    /// <param name="inFlight">Requests at the target when it was sent, itself included.</param>
    public void Observe(TimeSpan toFirstDelta, int inFlight)
    {
        if (!_options.Enabled)
            return;
        // A clock that is too coarse shows zero; the shortest time keeps the quotients finite.
        _newest = Math.Max(toFirstDelta.Ticks, 1);
        if (_looked >= 0)
        {
            Look(inFlight);
            return;
        }

        _seen++;
        // A mean of all at first, of about the window later.
        var weight = _seen <= WarmUp ? 1.0 / _seen : 2.0 / (_options.LongWindow + 1);
        _usual += (_newest - _usual) * weight;
        if (_usual > 2 * _newest)
            _usual *= 0.95;
        if (inFlight < _limit / 2)
        {
            _fullFor = 0;
            return;
        }

        if (++_fullFor >= _options.LongWindow / 6 && _limit / 2 >= _options.Min)
        {
            BeginLook();
            return;
        }

        var gradient = Math.Clamp(_options.Tolerance * _usual / _newest, 0.5, 1);
        Set(((1 - _options.Smoothing) * _limit) + (_options.Smoothing * ((_limit * gradient) + _options.Queue)));
    }

    /// <summary>The target refused a request for load, or did not begin to answer in time.</summary>
    public void Dropped()
    {
        if (!_options.Enabled)
            return;
        _limitBefore *= DropFactor;
        Set(_limit * DropFactor);
    }

    /// <summary>The limit and why, for the record of the request.</summary>
    public string Explain() => !_options.Enabled
        ? string.Create(CultureInfo.InvariantCulture, $"limit {Limit}, fixed")
        : string.Create(
            CultureInfo.InvariantCulture,
            $"limit {Limit}: first delta {_newest / TimeSpan.TicksPerMillisecond:0.#} ms lately, "
            + $"{_usual / TimeSpan.TicksPerMillisecond:0.#} ms usually");

    private void BeginLook()
    {
        (_limitBefore, _looked, _lookSum, _fullFor) = (_limit, 0, 0, 0);
        Set(_limit / 2);
    }

    private void Look(int inFlight)
    {
        // Those sent before the limit was halved tell of the old one.
        if (inFlight > Limit)
            return;
        _lookSum += _newest;
        if (++_looked < LookSamples)
            return;
        var mean = _lookSum / LookSamples;
        _looked = -1;
        if (mean * Quicker >= _usual)
        {
            Set(_limitBefore);
            return;
        }

        _usual = mean;
        if (_limit / 2 >= _options.Min)
            BeginLook();
    }

    private void Set(double limit) => _limit = Math.Clamp(limit, _options.Min, Math.Max(_options.Min, _options.Max));
}

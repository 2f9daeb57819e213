namespace Spillway.Policies.Overload;

/// <summary>
/// Refuses the less critical requests of an overloaded deployment, so that the rest is served in time. Overload is
/// measured by the time in the queue. Requests have a rank by class and, within a class, by caller: so that the same
/// callers are served and others refused, in place of a part of everybody's requests. A cut moves up while there is
/// overload and down when there is none. A mean is a window late; so while more critical requests come as well, the
/// sheddable ones are held to what waits at this moment. Pure, one owner; allocates only when made.
/// </summary>
/// <remarks>
/// DAGOR: H. Zhou et al., "Overload control for scaling WeChat microservices" (SoCC 2018): mean queueing time over a
/// window, two levels of priority, a histogram of arrivals to find the cut that sheds the wanted part. Its step is
/// fixed; here it grows with the measured excess up to a half, because after a tenfold flood twenty steps of 5 % would
/// leave a third of it; and what is let in again doubles with each quiet window, because 1 % a second would refuse
/// somebody for a minute and a half after the flood. Hysteresis is ours: between recovery and overload the cut stays.
/// </remarks>
internal sealed class CriticalityShedder
{
    /// <summary>Ranks of one class.</summary>
    public const int RanksPerClass = 128;

    /// <summary>The most that is cut off at a time, however long the queue: what is in it was let in before.</summary>
    private const double ShedMost = 0.3;

    /// <summary>Quiet windows after which more and more is let in: a flood that lasts shows itself sooner.</summary>
    private const int CalmWindows = 3;

    /// <summary>For so many windows behind a critical request the sheddable ones leave room for the next.</summary>
    private const int GuardedWindows = 10;

    private const int Ranks = 4 * RanksPerClass;

    // The highest class is never shed here: those who are left are the queue's own limits to refuse.
    private const int CutMax = (int)Criticality.CriticalPlus * RanksPerClass;

    private readonly SheddingOptions _options;
    private readonly TimeSpan _threshold;
    private readonly TimeSpan _window;
    private readonly int[] _came = new int[Ranks];
    private Instant _ends;
    private Instant _guardedUntil;
    private int _cameAll;
    private int _admitted;
    private long _waitedTicks;
    private int _waited;
    private TimeSpan _measured;
    private int _calm;

    /// <summary>Lets everybody in.</summary>
    public CriticalityShedder(SheddingOptions options, Instant now)
    {
        _options = options;
        _threshold = TimeSpan.FromMilliseconds(options.QueueMs);
        _window = TimeSpan.FromMilliseconds(options.WindowMs);
        _ends = now + _window;
    }

    /// <summary>The lowest rank that is let in by what was measured; 0 lets everybody in.</summary>
    public int Cut { get; private set; }

    /// <summary>The mean time in the queue of the last whole window.</summary>
    public TimeSpan Measured => _measured;

    /// <summary>Decides over one who comes.</summary>
    /// <param name="criticality">Its class.</param>
    /// <param name="caller">
    /// A hash of who asks, the same for all of its requests in an hour or so: salted by the hour, so that it is not the
    /// same ones who are always refused.
    /// </param>
    /// <param name="ahead">The work that waits before it, shared over the runners; neither runs under way count nor a
    /// batch that is not full yet.</param>
    /// <param name="now">The present.</param>
    public ShedVerdict Decide(Criticality criticality, uint caller, TimeSpan ahead, Instant now)
    {
        var rank = ((int)criticality * RanksPerClass) + (int)(caller % RanksPerClass);
        if (!_options.Enabled)
            return new(true, criticality, rank, 0, TimeSpan.Zero, _threshold);
        Roll(now);
        _came[rank]++;
        _cameAll++;
        var admitted = rank >= Cut;
        _admitted += admitted ? 1 : 0;
        if (criticality >= Criticality.Critical)
            _guardedUntil = now + (_window * GuardedWindows);
        else if (admitted && now < _guardedUntil && ahead > _threshold * ((int)criticality + 1))
            return new(false, criticality, rank, Cut, ahead, _threshold) { Retry = _window };
        return new(admitted, criticality, rank, Cut, _measured, _threshold) { Retry = _window };
    }

    /// <summary>A request left the queue, to run or because it would be late; how long it stood there.</summary>
    public void Waited(TimeSpan time, Instant now)
    {
        if (!_options.Enabled)
            return;
        _waitedTicks += Math.Max(time.Ticks, 0);
        _waited++;
        Roll(now);
    }

    private void Roll(Instant now)
    {
        if (now < _ends && _waited < _options.WindowRequests)
            return;
        _measured = _waited == 0 ? TimeSpan.Zero : new(_waitedTicks / _waited);
        if (_waited > 0 && _measured > _threshold)
        {
            Raise(Math.Min(ShedMost, _options.ShedPart * (_measured / _threshold)));
            _calm = 0;
        }
        else if (_waited == 0 || _measured < _threshold * _options.RecoverBelow)
            Lower(Math.Min(0.5, _options.RecoverPart * (1 << Math.Clamp(_calm++ - CalmWindows, 0, 10))));

        Array.Clear(_came);
        (_cameAll, _admitted, _waitedTicks, _waited, _ends) = (0, 0, 0, 0, now + _window);
    }

    /// <summary>Sheds that part of those whom the cut let in; at least one rank.</summary>
    private void Raise(double part)
    {
        var shed = _admitted * part;
        var most = Math.Max(CutMax, Cut);
        for (var gone = 0; Cut < most && (gone == 0 || gone < shed); Cut++)
            gone += _came[Cut];
    }

    /// <summary>Lets that part of all who came in again; at least one rank.</summary>
    private void Lower(double part)
    {
        var more = _cameAll * part;
        var first = true;
        for (var back = 0; Cut > 0 && (first || back + _came[Cut - 1] <= more); first = false)
            back += _came[--Cut];
    }
}

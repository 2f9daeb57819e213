namespace Spillway.App.Load;

/// <summary>A stretch of a run at a rate relative to <c>--rate</c>.</summary>
/// <param name="Factor">Multiplies the rate; 0 is a pause.</param>
/// <param name="Seconds">Its length, above 0.</param>
internal readonly record struct Phase(double Factor, double Seconds);

/// <summary>
/// The instants at which requests are due: arrivals laid over phases. Inside a phase of factor f the arrivals' own
/// time runs f times as fast, which for a Poisson process is exactly a Poisson process of the phase's rate; bursts
/// keep their number of requests and shrink in time.
/// </summary>
internal sealed class Schedule(Arrivals arrivals, IReadOnlyList<Phase> phases)
{
    private int _phase;
    private double _now;
    private double _phaseEnd = phases[0].Seconds;

    /// <summary>Whether the recorded arrivals, and not the phases, came to an end.</summary>
    public bool IsTraceOver { get; private set; }

    /// <summary>
    /// The next due instant in nanoseconds from the start, with its phase; false when the schedule has ended.
    /// </summary>
    public bool TryNext(out long dueNs, out int phase)
    {
        (dueNs, phase) = (0, _phase);
        var left = arrivals.NextGap();
        if (left < 0)
        {
            IsTraceOver = true;
            return false;
        }

        while (true)
        {
            var factor = phases[_phase].Factor;
            var reach = (_phaseEnd - _now) * factor;
            if (left < reach)
            {
                _now += left / factor;
                (dueNs, phase) = ((long)(_now * LoadClock.PerSecond), _phase);
                return true;
            }

            left -= reach;
            _now = _phaseEnd;
            if (++_phase == phases.Count)
                return false;
            _phaseEnd += phases[_phase].Seconds;
        }
    }
}

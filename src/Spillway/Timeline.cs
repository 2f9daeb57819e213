using System.Runtime.CompilerServices;

namespace Spillway;

/// <summary>
/// The stages of one request on one clock. Each <see cref="Mark"/> gives the time since the previous mark to one
/// stage, so the stages always sum to the total and none is a remainder. A stage may be marked more than once.
/// One writer at a time: the request travels from thread to thread with its timeline.
/// </summary>
public struct Timeline
{
    /// <summary>The number of stages.</summary>
    public const int StageCount = 9;

    private Ticks _ticks;
    private Instant _last;

    /// <summary>Begins a new life; forgets what was.</summary>
    public void Begin(Instant now)
    {
        this = default;
        (Started, _last) = (now, now);
    }

    /// <summary>The first instant.</summary>
    public Instant Started { get; private set; }

    /// <summary>The last mark.</summary>
    public readonly Instant Last => _last;

    /// <summary>Everything since the last mark was <paramref name="stage"/>.</summary>
    public void Mark(Stage stage, Instant now)
    {
        // Two threads' readings of one clock may differ by a tick; time does not run backwards here.
        if (now < _last)
            now = _last;
        _ticks[(int)stage] += (now - _last).Ticks;
        _last = now;
    }

    /// <summary>The time spent in one stage so far.</summary>
    public readonly TimeSpan this[Stage stage] => new(_ticks[(int)stage]);

    /// <summary>From the first instant to the last mark: the exact sum of the stages.</summary>
    public readonly TimeSpan Total => _last - Started;

    [InlineArray(StageCount)]
    private struct Ticks
    {
        private long _first;
    }
}

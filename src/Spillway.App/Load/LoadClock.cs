namespace Spillway.App.Load;

/// <summary>
/// One monotonic clock for schedule, sends and answers: nanoseconds since it was made. Every time in this room is
/// such a number, so no unit conversion hides between the scheduled send and the answer.
/// </summary>
internal sealed class LoadClock(TimeProvider time)
{
    public const long PerSecond = 1_000_000_000;
    public const long PerMillisecond = 1_000_000;

    private readonly long _origin = time.GetTimestamp();
    private readonly long _frequency = time.TimestampFrequency;

    /// <summary>Timers that wait on the same clock.</summary>
    public TimeProvider Time { get; } = time;

    /// <summary>Nanoseconds since the clock was made.</summary>
    public long Now
    {
        get
        {
            var ticks = Time.GetTimestamp() - _origin;
            return _frequency == PerSecond ? ticks : (long)((Int128)ticks * PerSecond / _frequency);
        }
    }
}

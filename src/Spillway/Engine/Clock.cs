namespace Spillway.Engine;

/// <summary>The Engine's one clock: instants from a <see cref="TimeProvider"/>, and timers on it.</summary>
/// <param name="time">The system's, or a manual one.</param>
public sealed class Clock(TimeProvider time)
{
    private readonly long _frequency = time.TimestampFrequency;

    /// <summary>Where timers and wall-clock times come from.</summary>
    public TimeProvider Time => time;

    /// <summary>Now, monotonic.</summary>
    public Instant Now => new(_frequency == 1_000_000_000
        ? time.GetTimestamp() / 100
        : (long)((Int128)time.GetTimestamp() * TimeSpan.TicksPerSecond / _frequency));

    /// <summary>
    /// Called just before a stage of a request is stamped, so that a test can let the clock move inside exactly one
    /// stage; null in production. Never called for the cache: there is none, so its stage has no stamp of its own.
    /// </summary>
    internal Action<Stage>? Stamping { get; set; }

    /// <summary>Now, as the end of a stage.</summary>
    internal Instant EndOf(Stage stage)
    {
        Stamping?.Invoke(stage);
        return Now;
    }

    /// <summary>
    /// How long to set a timer for. The system's timers count whole milliseconds and cut the rest off, so a wake would
    /// come early and in vain: rounded up there, exact on a manual clock.
    /// </summary>
    public TimeSpan Until(Instant at)
    {
        var due = at - Now;
        if (due <= TimeSpan.Zero)
            return TimeSpan.Zero;
        return time == TimeProvider.System ? TimeSpan.FromMilliseconds(Math.Ceiling(due.TotalMilliseconds)) : due;
    }
}

using Spillway.Policies.Budgets;

namespace Spillway.Engine.Guards;

/// <summary>
/// The times that limits and budgets count by: the monotonic one, the wall's, and a wall that never jumps. Notices when
/// the wall's clock was set. Thread-safe.
/// </summary>
internal sealed class GuardClock
{
    /// <summary>Smaller corrections are what time services do all day.</summary>
    private static readonly TimeSpan s_jump = TimeSpan.FromSeconds(30);

    private readonly Clock _clock;
    private readonly DateTime _wallAtStart;
    private readonly Instant _start;
    private long _known;

    public GuardClock(Clock clock)
    {
        _clock = clock;
        (_wallAtStart, _start) = (clock.Time.GetUtcNow().UtcDateTime, clock.Now);
    }

    /// <summary>The present of rates.</summary>
    public Instant Now => _clock.Now;

    /// <summary>Where waiting is timed.</summary>
    public TimeProvider Time => _clock.Time;

    /// <summary>The present of budgets, with a monotonic present at hand.</summary>
    public BudgetTime At(Instant now) => new(_clock.Time.GetUtcNow().UtcDateTime, _wallAtStart + (now - _start));

    /// <summary>How far the wall's clock was set since somebody last asked; zero when it was not.</summary>
    public TimeSpan Jumped()
    {
        var time = At(_clock.Now);
        var off = (time.Wall - time.Steady).Ticks;
        var jump = new TimeSpan(off - Interlocked.Read(ref _known));
        if (jump.Duration() < s_jump)
            return TimeSpan.Zero;
        Interlocked.Exchange(ref _known, off);
        return jump;
    }
}

using Spillway.Planner;
using Spillway.Planner.Routes;

namespace Spillway.Tests.Planner.Routes;

/// <summary>A step that answers everybody after the same time, and knows how many it has at once.</summary>
/// <param name="calendar">Where it lives.</param>
/// <param name="ms">The time.</param>
internal sealed class TimedStep(Calendar calendar, double ms) : IStepWorld
{
    private int _inside;

    /// <summary>The most at once so far.</summary>
    public int Most { get; private set; }

    /// <summary>Whom it answered, in order.</summary>
    public List<string> Answered { get; } = [];

    /// <inheritdoc/>
    public TimeSpan PredictWait(Instant now) => TimeSpan.Zero;

    /// <inheritdoc/>
    public void Ask(in StepCall call, Action<Fault?> ended)
    {
        var id = call.Id;
        Most = Math.Max(Most, ++_inside);
        calendar.Schedule(calendar.Now + TimeSpan.FromMilliseconds(ms), () =>
        {
            _inside--;
            Answered.Add(id);
            ended(null);
        });
    }
}

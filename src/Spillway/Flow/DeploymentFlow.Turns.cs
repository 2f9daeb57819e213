namespace Spillway.Flow;

/// <content>Its turns on devices that it shares: asked for before a batch is taken, given back when there is
/// none.</content>
public sealed partial class DeploymentFlow
{
    /// <summary>
    /// The turns on its devices; null where it shares them with nobody. Set before the first request.
    /// </summary>
    public DeploymentTurns? Turns { get; set; }

    /// <summary>A runner that ended its run has more to do.</summary>
    private bool HasMore(int runner, Instant now) =>
        _state[runner] is RunnerState.InUse && _readyCount > 0 && DueAt() <= now;

    /// <summary>A runner is to begin: at once if it has a turn, else it waits for it.</summary>
    private Step Begin(Step step, Instant now) => Turns?.Ask(step.Runner, now) is false ? Await(now) : step;

    /// <summary>A runner waits for its turn; meanwhile those in line may become hopeless.</summary>
    private Step Await(Instant now)
    {
        WakeAt = Instant.Earlier(WakeAt, NextWake(now));
        return new(Launch.Queue);
    }
}

namespace Spillway.Policies.Rollout;

/// <summary>Where a rollout is.</summary>
public enum RolloutPhase
{
    /// <summary>The challenger gets its share.</summary>
    Running,

    /// <summary>It has passed the last step, still has its share, and waits for somebody to promote it.</summary>
    Ready,

    /// <summary>It is the champion.</summary>
    Promoted,

    /// <summary>It was stopped; the champion has everything.</summary>
    Aborted,

    /// <summary>It was the champion; the one before is it again.</summary>
    RolledBack,
}

/// <summary>What a rollout has come to; everything that must survive a restart. Immutable.</summary>
/// <param name="Name">The served name.</param>
/// <param name="Champion">The version that answers by default.</param>
/// <param name="Challenger">The version that is to take over; after the rollout, the one that was.</param>
/// <param name="Phase">Where it is.</param>
/// <param name="Step">Which step, from 0.</param>
/// <param name="Salt">Says which callers come first; of this rollout alone.</param>
public sealed record RolloutState(
    string Name, string Champion, string Challenger, RolloutPhase Phase, int Step, string Salt)
{
    /// <summary>Whether the challenger has a share.</summary>
    public bool IsOpen => Phase is RolloutPhase.Running or RolloutPhase.Ready;

    /// <summary>
    /// Whether it is about a declared version. When neither of its two is, somebody declared a third one since, and
    /// that answers.
    /// </summary>
    public bool Concerns(string declared) => declared == Champion || declared == Challenger;
}

/// <summary>What happened to a rollout.</summary>
public enum RolloutEvent
{
    /// <summary>It began.</summary>
    Started,

    /// <summary>Its next step began.</summary>
    Advanced,

    /// <summary>Its last step ended.</summary>
    Ready,

    /// <summary>The challenger is the champion.</summary>
    Promoted,

    /// <summary>The challenger was stopped.</summary>
    Aborted,

    /// <summary>The champion of before is it again.</summary>
    RolledBack,
}

/// <summary>A change of a rollout.</summary>
/// <param name="What">What happened.</param>
/// <param name="Who">Who did it; "spillway" when nobody had to.</param>
/// <param name="Why">In words.</param>
/// <param name="State">After it.</param>
public sealed record RolloutChange(RolloutEvent What, string Who, string Why, RolloutState State);

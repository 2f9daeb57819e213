namespace Spillway.Policies.Breaking;

/// <summary>Whether a target takes requests.</summary>
internal enum BreakerState : byte
{
    /// <summary>It does.</summary>
    Closed,

    /// <summary>It is left alone.</summary>
    Open,

    /// <summary>A few requests try it out.</summary>
    HalfOpen,
}

/// <summary>The right of one request to be sent to a target; goes back with its result, exactly once.</summary>
/// <param name="Era">In which time between two changes of state it was given: older results say nothing new.</param>
/// <param name="IsProbe">Whether it tries the target out.</param>
internal readonly record struct BreakerPass(int Era, bool IsProbe);

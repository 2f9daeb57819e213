namespace Spillway.Engine;

/// <summary>A request that was given up: to be completed outside the lock, which then lets go of it.</summary>
/// <param name="Work">The request.</param>
/// <param name="Reason">Why.</param>
internal readonly record struct Ending(Work Work, FaultKind Reason);

/// <summary>A look at a deployment.</summary>
/// <param name="QueueLength">Requests that wait or are being decoded.</param>
/// <param name="Active">Runs under way.</param>
/// <param name="Runners">Runs at once.</param>
/// <param name="UsefulRows">Size limit of a batch.</param>
/// <param name="PredictedWait">For a newcomer of middle priority.</param>
public readonly record struct DeploymentState(int QueueLength, int Active, int Runners, int UsefulRows, TimeSpan PredictedWait)
{
    /// <summary>Requests inside runs.</summary>
    public int RequestsInRuns { get; init; }

    /// <summary>When somebody last asked for a place; the clock's beginning when nobody did.</summary>
    public Instant PlacedAt { get; init; }

    /// <summary>Nothing runs and nobody waits.</summary>
    public bool IsIdle => Active == 0 && QueueLength == 0;
}

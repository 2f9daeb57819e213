namespace Spillway.Policies.Concurrency;

/// <summary>What became of a request that came to the line.</summary>
internal enum LineSays : byte
{
    /// <summary>It waits.</summary>
    Waits,

    /// <summary>It waits, and a less critical one was given up for it.</summary>
    WaitsForAnother,

    /// <summary>The line is full of requests that are at least as critical.</summary>
    Full,
}

/// <summary>What became of a request that came to the line.</summary>
/// <param name="Says">What.</param>
/// <param name="Shed">The slot that was given up; -1 for none.</param>
/// <param name="ShedClass">The class of the one that was given up.</param>
/// <param name="Patience">How long it may wait.</param>
internal readonly record struct LineVerdict(
    LineSays Says, int Shed = -1, Criticality ShedClass = default, TimeSpan Patience = default);

/// <summary>A request that left the line without being sent.</summary>
/// <param name="Slot">Which.</param>
/// <param name="Waited">How long it stood there.</param>
/// <param name="IsLate">True: its deadline came. False: its patience ended, because the line stands.</param>
internal readonly record struct LineDrop(int Slot, TimeSpan Waited, bool IsLate);

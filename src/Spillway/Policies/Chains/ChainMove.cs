namespace Spillway.Policies.Chains;

/// <summary>Why a step of a chain is taken, or none.</summary>
internal enum ChainReason : byte
{
    /// <summary>Nothing stands against the first one.</summary>
    First,

    /// <summary>The steps before it would let the request wait too long.</summary>
    PredictedWait,

    /// <summary>The step before it failed in a way that moves on.</summary>
    Fault,

    /// <summary>The step before it had no answer to give.</summary>
    Missed,

    /// <summary>None: the fault does not move on.</summary>
    NotDeclared,

    /// <summary>None: that was the last one.</summary>
    LastStep,

    /// <summary>None: no further step fits into the time that is left.</summary>
    NoTime,
}

/// <summary>Which step is next.</summary>
/// <param name="Step">Its index; -1 for none: the fault is the answer.</param>
/// <param name="Reason">Why.</param>
/// <param name="From">The step that was left; -1 for none.</param>
/// <param name="Fault">How it failed.</param>
/// <param name="Predicted">With <see cref="ChainReason.PredictedWait"/>: the wait that was predicted for it.</param>
internal readonly record struct ChainMove(
    int Step, ChainReason Reason, int From = -1, FaultKind? Fault = null, TimeSpan Predicted = default)
{
    /// <summary>With <see cref="ChainReason.PredictedWait"/>: the wait that its class may have there.</summary>
    public TimeSpan Bound { get; init; }

    /// <summary>Whether the answer is less than the full one.</summary>
    public bool IsDegraded => Step > 0;
}

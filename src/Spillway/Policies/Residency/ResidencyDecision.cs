namespace Spillway.Policies.Residency;

/// <summary>Where a model is.</summary>
public enum ResidencyState
{
    /// <summary>Not in memory, and nobody asked for it.</summary>
    Absent,

    /// <summary>Wanted; waits for room or for a load before it.</summary>
    Queued,

    /// <summary>Being loaded: its estimate is taken from the budget.</summary>
    Loading,

    /// <summary>Answers.</summary>
    Resident,

    /// <summary>To be unloaded with the next step.</summary>
    Closing,

    /// <summary>Being unloaded: it answers whom it has, and its bytes are not free yet.</summary>
    Unloading,
}

/// <summary>What a request does.</summary>
public enum ResidencyAnswer
{
    /// <summary>Goes on.</summary>
    Go,

    /// <summary>Waits until the model is loaded, refused, or its deadline has come.</summary>
    Wait,

    /// <summary>Is refused.</summary>
    Refuse,
}

/// <summary>Why a decision was made.</summary>
public enum ResidencyReason
{
    /// <summary>The model is there.</summary>
    Resident,

    /// <summary>It is being loaded, or about to be.</summary>
    Loading,

    /// <summary>It is larger than what the budget leaves beside pinned models.</summary>
    NeverFits,

    /// <summary>As many requests wait for loads as may.</summary>
    TooManyWait,

    /// <summary>
    /// The load is predicted to end after the deadline. It is begun all the same, for those who come again.
    /// </summary>
    TooLate,

    /// <summary>Its load failed a moment ago.</summary>
    Failed,

    /// <summary>It is no longer served, or was wanted so long ago that nobody waits any more.</summary>
    Unwanted,
}

/// <summary>The decision about one request.</summary>
/// <param name="Answer">What it does.</param>
/// <param name="Reason">Why.</param>
/// <param name="ReadyIn">Predicted time until the model answers, or until another attempt makes sense; 0 when
/// unknown.</param>
public readonly record struct ResidencyDecision(
    ResidencyAnswer Answer, ResidencyReason Reason, TimeSpan ReadyIn = default);

/// <summary>What the caller is to do next.</summary>
public enum ResidencyWork
{
    /// <summary>
    /// Load the model, then tell <see cref="ResidencyPolicy.Loaded"/> or <see cref="ResidencyPolicy.LoadFailed"/>.
    /// </summary>
    Load,

    /// <summary>
    /// Unload the model: it takes nobody new, answers whom it has, then tell <see cref="ResidencyPolicy.Unloaded"/>.
    /// </summary>
    Unload,

    /// <summary>Refuse everybody who waits for the model: it is not loaded.</summary>
    Refuse,
}

/// <summary>A step for the caller to carry out, off the request path.</summary>
/// <param name="Work">What.</param>
/// <param name="Model">With which model.</param>
/// <param name="For">The model that the room is made for; -1 when it is made because the budget is exceeded, or asked
/// for.</param>
/// <param name="Why">The reason of a refusal.</param>
public readonly record struct ResidencyStep(
    ResidencyWork Work, int Model, int For = -1, ResidencyReason Why = ResidencyReason.Resident);

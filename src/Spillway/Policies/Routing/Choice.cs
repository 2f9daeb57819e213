namespace Spillway.Policies.Routing;

/// <summary>Why a target was chosen, or none.</summary>
internal enum ChoiceReason : byte
{
    /// <summary>It is the only one that may be used now.</summary>
    OnlyOne,

    /// <summary>Drawn by weight, and not clearly more loaded than the second one drawn.</summary>
    Weight,

    /// <summary>The first one drawn is clearly more loaded.</summary>
    LessLoaded,

    /// <summary>It is tried out after it was left alone.</summary>
    Probe,

    /// <summary>None: every target is left alone.</summary>
    AllOpen,

    /// <summary>None: every target that is not left alone has as much as it may have.</summary>
    AllFull,
}

/// <summary>Which target gets a request.</summary>
/// <param name="Target">Its index; -1 for none.</param>
/// <param name="Reason">Why.</param>
/// <param name="Other">The one that it was compared with; -1 for none.</param>
/// <param name="Load">Its load: expected ticks until it would answer.</param>
/// <param name="OtherLoad">The other one's.</param>
/// <param name="Wait">With <see cref="ChoiceReason.AllOpen"/>: until the first of them may be asked.</param>
internal readonly record struct Choice(
    int Target, ChoiceReason Reason, int Other = -1, double Load = 0, double OtherLoad = 0, TimeSpan Wait = default);

using System.Text.Json;

namespace Spillway.Policies.Chains;

/// <summary>Faults that a chain treats alike.</summary>
internal enum CauseGroup : byte
{
    /// <summary>No step helps: the request, its caller, or the whole server.</summary>
    Never,

    /// <summary>Too much to do.</summary>
    Overload,

    /// <summary>Broken, or not there.</summary>
    Failure,

    /// <summary>Too slow.</summary>
    Timeout,

    /// <summary>An answer that fails a check.</summary>
    Unfit,

    /// <summary>A rate limit of the caller.</summary>
    Limits,

    /// <summary>A budget of the caller.</summary>
    Budget,

    /// <summary>Switched off.</summary>
    Off,
}

/// <summary>A set of kinds of faults, and the words for it.</summary>
/// <param name="Mask">One bit a kind.</param>
internal readonly record struct ChainCauses(ulong Mask)
{
    /// <summary>What moves on when nothing is declared.</summary>
    public static ChainCauses Usual { get; } = Group(CauseGroup.Overload) | Group(CauseGroup.Failure)
        | Group(CauseGroup.Timeout) | Group(CauseGroup.Unfit);

    /// <summary>What a gate refuses for: switches, limits, budgets.</summary>
    public static ChainCauses Guards { get; } = Group(CauseGroup.Off) | Group(CauseGroup.Limits)
        | Group(CauseGroup.Budget);

    /// <summary>What words name together; what moves on when nothing is declared for none.</summary>
    public static ChainCauses Of(IReadOnlyList<string> words)
    {
        if (words.Count == 0)
            return Usual;
        var all = default(ChainCauses);
        foreach (var word in words)
            all |= TryParse(word, out var causes) ? causes : default;
        return all;
    }

    /// <summary>Whether anything of another set is in it.</summary>
    public bool HasAny(ChainCauses others) => (Mask & others.Mask) != 0;

    /// <summary>Whether everything of another set is in it.</summary>
    public bool HasAll(ChainCauses others) => (others.Mask & ~Mask) == 0;

    /// <summary>Whether a kind is in it.</summary>
    public bool Has(FaultKind kind) => (Mask >> (int)kind & 1) != 0;

    /// <summary>Both.</summary>
    public static ChainCauses operator |(ChainCauses a, ChainCauses b) => new(a.Mask | b.Mask);

    /// <summary>Every word: groups, then single kinds.</summary>
    public static IEnumerable<string> Words => Enum.GetValues<CauseGroup>().Where(g => g is not CauseGroup.Never)
        .Select(Word).Concat(Enum.GetValues<FaultKind>().Where(k => GroupOf(k) is not CauseGroup.Never).Select(Label));

    /// <summary>Reads a word; false for one that is none, or that names what no step helps against.</summary>
    public static bool TryParse(string word, out ChainCauses causes)
    {
        causes = default;
        foreach (var group in Enum.GetValues<CauseGroup>())
        {
            if (group is not CauseGroup.Never && word == Word(group))
                causes |= Group(group);
        }

        foreach (var kind in Enum.GetValues<FaultKind>())
        {
            if (GroupOf(kind) is not CauseGroup.Never && word == Label(kind))
                causes |= new ChainCauses(1UL << (int)kind);
        }

        return causes.Mask != 0;
    }

    /// <summary>The group of a kind. A complete table.</summary>
    public static CauseGroup GroupOf(FaultKind kind) => kind switch
    {
        FaultKind.QueueFull or FaultKind.PredictedLate or FaultKind.DroppedLate or FaultKind.Shed
            or FaultKind.UpstreamThrottled => CauseGroup.Overload,
        FaultKind.RuntimeFailed or FaultKind.LoadFailed or FaultKind.ModelNotReady or FaultKind.UpstreamUnreachable
            or FaultKind.UpstreamFailed or FaultKind.TargetsOpen => CauseGroup.Failure,
        FaultKind.UpstreamTimeout or FaultKind.DeadlineExceeded => CauseGroup.Timeout,
        FaultKind.AnswerUnfit => CauseGroup.Unfit,
        FaultKind.RateLimited => CauseGroup.Limits,
        FaultKind.BudgetExhausted => CauseGroup.Budget,
        FaultKind.SwitchedOff => CauseGroup.Off,
        FaultKind.InvalidInput or FaultKind.InputTooLarge or FaultKind.InputIncomplete or FaultKind.UnknownPath
            or FaultKind.WrongMethod or FaultKind.UnknownModel or FaultKind.UnknownRequest or FaultKind.Forbidden
            or FaultKind.Unauthenticated or FaultKind.Unsupported or FaultKind.ServerFull or FaultKind.Cancelled
            or FaultKind.ShuttingDown or FaultKind.StoreFailed or FaultKind.Internal => CauseGroup.Never,
    };

    private static ChainCauses Group(CauseGroup group) => new(
        Enum.GetValues<FaultKind>().Where(kind => GroupOf(kind) == group).Aggregate(0UL, (m, k) => m | 1UL << (int)k));

    private static string Word(CauseGroup group) => JsonNamingPolicy.CamelCase.ConvertName(group.ToString());

    private static string Label(FaultKind kind) => JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString());
}

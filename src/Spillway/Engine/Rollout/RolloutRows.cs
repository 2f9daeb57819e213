using Spillway.Policies.Rollout;
using Spillway.Store.Rollout;

namespace Spillway.Engine.Rollout;

/// <summary>Rollouts as they are kept, both ways. The words are those of the file: they stay when a name here changes.
/// </summary>
internal static class RolloutRows
{
    /// <summary>To be kept.</summary>
    public static RolloutRow Write((RolloutState State, RolloutEntry[] History) kept) => new(
        kept.State.Name, kept.State.Champion, kept.State.Challenger, Word(kept.State.Phase), kept.State.Step,
        kept.State.Salt,
        [.. kept.History.Select(h => new RolloutHistoryRow(
            h.At, h.Who, Word(h.What), h.Why, h.State.Champion, h.State.Challenger, h.State.Step))]);

    /// <summary>As it was kept; null for words that nobody here knows.</summary>
    public static (RolloutState State, RolloutEntry[] History)? Read(RolloutRow row)
    {
        if (PhaseOf(row.Phase) is not { } phase)
            return null;
        var state = new RolloutState(row.Name, row.Champion, row.Challenger, phase, row.Step, row.Salt);
        var history = new RolloutEntry[row.History.Count];
        for (var i = 0; i < history.Length; i++)
        {
            var kept = row.History[i];
            if (EventOf(kept.What) is not { } what)
                return null;
            history[i] = new(kept.At, kept.Who, what, kept.Why, state with
            {
                Champion = kept.Champion, Challenger = kept.Challenger, Step = kept.Step, Phase = PhaseAfter(what),
            });
        }

        return (state, history);
    }

    /// <summary>A phase.</summary>
    public static string Word(RolloutPhase phase) => phase switch
    {
        RolloutPhase.Running => "running",
        RolloutPhase.Ready => "ready",
        RolloutPhase.Promoted => "promoted",
        RolloutPhase.Aborted => "aborted",
        RolloutPhase.RolledBack => "rolled_back",
    };

    /// <summary>An event.</summary>
    public static string Word(RolloutEvent what) => what switch
    {
        RolloutEvent.Started => "started",
        RolloutEvent.Advanced => "advanced",
        RolloutEvent.Ready => "ready",
        RolloutEvent.Promoted => "promoted",
        RolloutEvent.Aborted => "aborted",
        RolloutEvent.RolledBack => "rolled_back",
    };

    private static RolloutPhase PhaseAfter(RolloutEvent what) => what switch
    {
        RolloutEvent.Started or RolloutEvent.Advanced => RolloutPhase.Running,
        RolloutEvent.Ready => RolloutPhase.Ready,
        RolloutEvent.Promoted => RolloutPhase.Promoted,
        RolloutEvent.Aborted => RolloutPhase.Aborted,
        RolloutEvent.RolledBack => RolloutPhase.RolledBack,
    };

    private static RolloutPhase? PhaseOf(string word) =>
        Enum.GetValues<RolloutPhase>().Where(p => Word(p) == word).Select(p => (RolloutPhase?)p).FirstOrDefault();

    private static RolloutEvent? EventOf(string word) =>
        Enum.GetValues<RolloutEvent>().Where(e => Word(e) == word).Select(e => (RolloutEvent?)e).FirstOrDefault();
}

namespace Spillway.Store.Rollout;

/// <summary>One rollout as it is kept.</summary>
/// <param name="Name">The served name.</param>
/// <param name="Champion">The version that answers by default.</param>
/// <param name="Challenger">The version that is to take over, or was.</param>
/// <param name="Phase">Where it is.</param>
/// <param name="Step">Which step, from 0.</param>
/// <param name="Salt">Says which callers come first.</param>
/// <param name="History">What happened to the name, the oldest first.</param>
public sealed record RolloutRow(
    string Name, string Champion, string Challenger, string Phase, int Step, string Salt,
    IReadOnlyList<RolloutHistoryRow> History);

/// <summary>What happened once.</summary>
/// <param name="At">When.</param>
/// <param name="Who">Who did it.</param>
/// <param name="What">What.</param>
/// <param name="Why">Why.</param>
/// <param name="Champion">The champion afterwards.</param>
/// <param name="Challenger">The challenger afterwards.</param>
/// <param name="Step">The step afterwards.</param>
public sealed record RolloutHistoryRow(
    DateTimeOffset At, string Who, string What, string Why, string Champion, string Challenger, int Step);

using System.Globalization;

namespace Spillway.Policies.Retry;

/// <summary>
/// Whether a failed attempt is followed by another one: only for faults that another attempt may mend, only before the
/// first byte, inside the deadline, and inside the budget that all requests to the targets share. Pure apart from the
/// budget that it takes from; nothing is allocated in a decision.
/// </summary>
/// <param name="options">The limits.</param>
/// <param name="budget">Shared by all requests to one group of targets.</param>
internal sealed class RetryPolicy(RetryOptions options, RetryBudget budget)
{
    private readonly TimeSpan _base = TimeSpan.FromMilliseconds(options.BaseMs);
    private readonly TimeSpan _throttledBase = TimeSpan.FromMilliseconds(options.ThrottledBaseMs);
    private readonly TimeSpan _cap = TimeSpan.FromMilliseconds(options.CapMs);

    /// <summary>What second attempts are paid from.</summary>
    public RetryBudget Budget => budget;

    /// <summary>Decides, and takes one of the budget when there is another attempt to send.</summary>
    /// <param name="ask">What failed.</param>
    /// <param name="now">The present.</param>
    /// <param name="random">The jitter.</param>
    public RetryDecision Decide(in RetryAsk ask, Instant now, Random random)
    {
        var mending = RetryTable.Of(ask.Kind);
        if (Forbids(mending, ask) is { } reason)
            return RetryDecision.No(reason);
        var wait = Backoff.Next(
            mending is Mending.Throttled ? _throttledBase : _base, _cap, ask.Attempts,
            ask.RetryAfter is { } after && after > TimeSpan.Zero ? after : TimeSpan.Zero,
            ask.Deadline == Instant.Never ? TimeSpan.MaxValue : ask.Deadline - now - ask.Expected, random);
        if (wait == TimeSpan.MaxValue)
            return RetryDecision.No(RetryReason.NoTime);
        if (mending is Mending.Unsent)
            return new(true, wait, RetryReason.AwaitsTarget);
        if (!budget.TryTake(now))
            return RetryDecision.No(RetryReason.BudgetSpent);
        return new(true, wait, mending is Mending.Throttled ? RetryReason.Throttled : RetryReason.Transient);
    }

    /// <summary>The decision as a sentence, for the record of the request.</summary>
    public string Explain(in RetryDecision decision, in RetryAsk ask)
    {
        var (wait, kind) = (decision.Wait.TotalMilliseconds, ask.Kind);
        return decision.Reason switch
        {
            RetryReason.Transient => Text($"attempt {ask.Attempts} failed ({kind}): another one in {wait:0.#} ms"),
            RetryReason.Throttled => Text($"attempt {ask.Attempts} was throttled: another one in {wait:0.#} ms"),
            RetryReason.AwaitsTarget => Text($"no target may be asked now: looks again in {wait:0.#} ms"),
            RetryReason.NotMendable => Text($"no other attempt: none would mend {kind}"),
            RetryReason.FirstByteSent => "no other attempt: the caller has a part of the answer already",
            RetryReason.AttemptsUsed => Text($"no other attempt: {ask.Attempts} of {options.AttemptsMax} were made"),
            RetryReason.ToldNot => "no other attempt: the upstream said not to try again",
            RetryReason.NoTime => "no other attempt: it would not fit before the deadline",
            RetryReason.BudgetSpent => Text($"no other attempt: retries are at {options.BudgetPercent:0.#} % of the ")
                + "successes of the last 10 s, and the floor of "
                + Text($"{options.BudgetFloor} is in use"),
        };
    }

    private RetryReason? Forbids(Mending mending, in RetryAsk ask)
    {
        if (mending is Mending.Never)
            return RetryReason.NotMendable;
        if (ask.FirstByteSent)
            return RetryReason.FirstByteSent;
        // Looking again for a target is no attempt: nothing was sent, and the deadline bounds it.
        if (mending is Mending.Unsent)
            return null;
        if (ask.ToldNot)
            return RetryReason.ToldNot;
        return ask.Attempts >= options.AttemptsMax ? RetryReason.AttemptsUsed : null;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

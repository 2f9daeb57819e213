using Spillway.Flow;
using Spillway.Store.Ledger;

namespace Spillway.Engine.Routes;

/// <summary>
/// The account of one step's attempt: what it holds of limits and budgets ends with it, and what ran in vain is booked
/// as its model's waste, on nobody's bill. So the sums are what was spent, whichever step answered in the end.
/// </summary>
internal static class RouteWaste
{
    /// <summary>The attempt is over.</summary>
    /// <param name="serving">Where costs and budgets are.</param>
    /// <param name="attempt">With its part of the run.</param>
    /// <param name="answered">Whether its answer is the request's; that is billed with the request.</param>
    public static void Settle(Serving serving, Work attempt, bool answered)
    {
        var (bill, ran) = (RequestFlow.Price(attempt.Used, attempt.Share), attempt.AnsweredBy ?? attempt.Door);
        // What an upstream did is paid, whoever has the answer in the end. What a model here holds went over to the
        // request with its answer; a route that is a step holds what its own step does.
        serving.Guards.Settle(
            attempt, attempt.Door.Upstream is null ? Money.Zero : bill.Total + attempt.Lost);
        var run = IsElsewhere(attempt, answered) ? default : attempt.Share;
        // An upstream is paid for each answer, fit or not; here only what is delivered pays for its rows.
        var request = run.Price is null || ran.Upstream is null ? Money.Zero : bill.Total - run.Total;
        var wasted = run.Total + request + attempt.Lost;
        if (wasted == Money.Zero && run.Busy == TimeSpan.Zero)
            return;
        if (!attempt.IsBeside && attempt.Asked.Trail is { } trail)
            trail.Wasted += wasted;
        serving.Models.Costs.Wasted(EntryOf(serving, attempt, ran, run.Busy) with
        {
            Time = run.Time + attempt.Lost, Run = run.Run, Request = request,
        });
    }

    /// <summary>
    /// Billed with the request; or the answer of a route's own step, which is that route's until it is no answer there.
    /// </summary>
    private static bool IsElsewhere(Work attempt, bool answered) =>
        answered && (!attempt.IsBeside || attempt.Whole!.Whole is not null);

    private static LedgerEntry EntryOf(Serving serving, Work attempt, Door ran, TimeSpan busy) => new()
    {
        UnixMs = serving.Clock.Time.GetUtcNow().ToUnixTimeMilliseconds(), Kind = EntryKind.Waste,
        Tenant = attempt.Caller.Tenant, Key = attempt.Caller.Key, Route = attempt.Asked.Door.Route.Model.Name,
        Model = ran.Route.Deployment, Version = ran.Route.Model.Version, Owner = ran.Owner,
        Hardware = attempt.Deployment?.HardwareOf(attempt.Run.Runner) ?? "", Rows = attempt.Claim.Rows,
        BusyTicks = busy.Ticks,
    };
}

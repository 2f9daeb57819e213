using Spillway.Telemetry;

namespace Spillway.Engine.Guards;

/// <summary>Why the gate let a request pass or not, into its record.</summary>
internal static class GuardExplanation
{
    /// <summary>What a request that passed was counted by.</summary>
    public static void Passed(ref RequestRecord record, Work work)
    {
        var ticket = work.Ticket;
        if (ticket.Waited > TimeSpan.Zero)
            record.Decide(DecisionKind.WaitedAtGate, ticket.Waited.Ticks);
        record.Guard = ticket.Named;
        if (!ticket.HasBudget)
            return;
        record.Decide(DecisionKind.Reserved, ticket.CostAtMost.Nano, ticket.BudgetLeft.Nano);
    }

    /// <summary>What ended a request that neither ran well, nor was late, nor left.</summary>
    public static DecisionKind EndOf(FaultKind? ended, bool inRun) => ended is FaultKind.SwitchedOff
        ? DecisionKind.EndedBySwitch : inRun ? DecisionKind.RunFailed : DecisionKind.RefusedInvalid;

    /// <summary>Whether the gate refused it, and why.</summary>
    public static bool Refused(ref RequestRecord record, Work work, FaultKind? kind)
    {
        var ticket = work.Ticket;
        record.Guard = ticket.Named;
        switch (kind)
        {
            case FaultKind.SwitchedOff:
                record.Decide(DecisionKind.RefusedSwitchedOff);
                return true;
            case FaultKind.Forbidden:
                record.Decide(DecisionKind.RefusedForbidden);
                return true;
            case FaultKind.RateLimited:
                record.Decide(DecisionKind.RefusedRate, ticket.Left.Left, ticket.Left.Limit, (long)ticket.Short);
                return true;
            case FaultKind.BudgetExhausted:
                record.Decide(DecisionKind.RefusedBudget, ticket.BudgetLeft.Nano, work.CostAtMost.Nano);
                return true;
            case FaultKind.StoreFailed:
                record.Decide(DecisionKind.RefusedStore);
                return true;
            default:
                return false;
        }
    }
}

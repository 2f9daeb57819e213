using Spillway.Engine.Guards;
using Spillway.Engine.Routes;
using Spillway.Flow;
using Spillway.Policies.Batching;
using Spillway.Telemetry;

namespace Spillway.Engine;

/// <summary>
/// Why a request went as it did: reads the facts that the flow left on the work and writes them as decisions into its
/// record.
/// </summary>
internal static class Explanation
{
    /// <summary>Every decision over a request, in the order of its life.</summary>
    public static void Write(ref RequestRecord record, Work work, in Delivery delivery)
    {
        var placement = work.Placement;
        var plan = work.Trail is { } ? work.Door.Plan : null;
        if (placement.Deadline == default)
        {
            if (plan is not null && (delivery.Fault is null || work.Trail!.Step >= 0))
                RouteExplanation.Write(ref record, work, plan);
            else
                ExplainGate(ref record, work, delivery);
            return;
        }

        var left = placement.Deadline - work.Timeline.Started;
        (record.Rows, record.Elements) = (work.Claim.Rows, work.Claim.Elements);
        (record.Deadline, record.PredictedWait, record.PredictedRun) = (left, placement.Wait, placement.Service);
        record.QueueDepth = placement.QueueLength;
        if (plan is not null)
        {
            RouteExplanation.Write(ref record, work, plan);
        }
        else
        {
            record.Decide(DecisionKind.GatePassed);
            record.Decide(DecisionKind.Routed);
            record.Decide(DecisionKind.CacheBypassed);
            GuardExplanation.Passed(ref record, work);
            ExplainDeadline(ref record, work);
        }

        if (placement.Refused is { } refused)
        {
            // Of an attempt: what it met is told with its step, and the request went on.
            if (plan is not null && delivery.Fault is null)
                return;
            if (refused is FaultKind.QueueFull)
                record.Decide(DecisionKind.RefusedQueueFull, placement.QueueLength, work.Door.Route.QueueLengthMax);
            else if (refused is FaultKind.Shed)
                record.Decide(DecisionKind.RefusedShed, placement.Queued.Ticks, (long)work.Criticality);
            else
                record.Decide(DecisionKind.RefusedPredictedLate, placement.Wait.Ticks, placement.Service.Ticks, left.Ticks);
            return;
        }

        record.Decide(DecisionKind.Placed, placement.QueueLength, work.Door.Route.QueueLengthMax);
        ExplainRun(ref record, work, delivery);
    }

    /// <summary>What its run cost: the lines of its bill, or what ran in vain.</summary>
    public static void Cost(ref RequestRecord record, Work work)
    {
        var (share, bill) = (work.Share, record.Charged);
        // The steps of a route are in the ledger already, each as its own model's.
        if (work.Trail is { Wasted: { Nano: > 0 } wasted })
            record.Decide(DecisionKind.Wasted, wasted.Nano, work.Claim.Rows);
        if (share.Price is null)
            return;
        record.Busy = share.Busy;
        record.Hardware = work.Deployment?.HardwareOf(work.Run.Runner) ?? "";
        if (record.Outcome is not null)
        {
            // An upstream is paid for each answer, also for one that could not be delivered.
            record.Wasted = work.AnsweredBy is { Upstream: not null }
                ? RequestFlow.Price(work.Used, share) : new(share.Run, Money.Zero) { Time = share.Time };
            record.Decide(DecisionKind.Wasted, record.Wasted.Total.Nano, work.Claim.Rows);
            return;
        }

        Charge(ref record, "time", bill.Time);
        Charge(ref record, "run", bill.Run);
        Charge(ref record, "rows", bill.Rows);
        Charge(ref record, "request", bill.Request);
    }

    /// <summary>The end of an answered request.</summary>
    public static void Close(ref RequestRecord record, int rows, in Delivery delivery)
    {
        record.Decide(DecisionKind.Settled, record.Charged.Total.Nano, rows);
        record.Decide(DecisionKind.Answered, delivery.Status, delivery.BytesOut);
    }

    private static void Charge(ref RequestRecord record, string label, Money amount)
    {
        if (amount != Money.Zero)
            record.Charge(label, amount);
    }

    private static void ExplainGate(ref RequestRecord record, Work work, in Delivery delivery)
    {
        var kind = delivery.Fault?.Kind;
        if (GuardExplanation.Refused(ref record, work, kind))
            return;
        record.Decide(kind switch
        {
            FaultKind.ShuttingDown => DecisionKind.RefusedShuttingDown,
            FaultKind.ModelNotReady => DecisionKind.RefusedNotReady,
            FaultKind.ServerFull => DecisionKind.RefusedServerFull,
            FaultKind.StoreFailed => DecisionKind.RefusedUnrecorded,
            _ => DecisionKind.RefusedInvalid,
        }, delivery.BytesHeld, delivery.BytesHeldMax, delivery.BytesIn);
    }

    private static void ExplainDeadline(ref RequestRecord record, Work work)
    {
        var (deadlines, service) = (work.Door.Deadlines, work.Placement.Service.Ticks);
        var (span, factor) = (record.Deadline.Ticks, (long)(deadlines.Factor * 1000));
        switch (work.Placement.DeadlineSource)
        {
            case DeadlineSource.Caller:
                record.Decide(DecisionKind.DeadlineExplicit, span);
                break;
            case DeadlineSource.CallerCut:
                record.Decide(DecisionKind.DeadlineCut, work.Request.Timeout?.Ticks ?? 0, span);
                break;
            case DeadlineSource.Fixed:
                record.Decide(DecisionKind.DeadlineFixed, span);
                break;
            case DeadlineSource.Learned:
                record.Decide(DecisionKind.DeadlineDerived, span, service, factor);
                break;
            case DeadlineSource.Floor:
                record.Decide(DecisionKind.DeadlineFloor, span, service, factor);
                break;
        }
    }

    private static void ExplainRun(ref RequestRecord record, Work work, in Delivery delivery)
    {
        if (work.Seat.Refused)
        {
            record.Decide(DecisionKind.RefusedSequence);
            return;
        }

        if (work.Seat.Turn)
        {
            record.Decide(DecisionKind.InSequence, work.Request.Sequence is { Start: true } ? 1 : 0,
                (work.Seat.TurnAt - work.Seat.Came).Ticks);
        }

        if (work.IsReady)
            ExplainLaunch(ref record, work);
        var inRun = work.Run.Requests > 0;
        if (inRun)
        {
            (record.BatchRows, record.BatchRequests, record.Cut) = (work.Run.Rows, work.Run.Requests, work.Run.Why);
            (record.Runner, record.Device) = (work.Run.Runner, work.Deployment!.DeviceOf(work.Run.Runner).Name);
            record.Decide(DecisionKind.Batched);
            if (work.Run.Length > 0)
                record.Decide(DecisionKind.Padded, work.Claim.Length, work.Run.Length, Thousandths(work.Run));
        }

        // What ended the work, not the delivery: an answer may fail to be written after a run that went well.
        ExplainEnd(ref record, work, inRun, inRun || work.Ended is not null ? work.Ended : delivery.Fault?.Kind);
    }

    private static long Thousandths(in RunFacts run) =>
        (long)Math.Round(1000.0 * run.Padding / Math.Max(run.Elements, 1));

    private static void ExplainEnd(ref RequestRecord record, Work work, bool inRun, FaultKind? ended)
    {
        var service = work.Placement.Service.Ticks;
        var ran = (work.Timeline[Stage.Batch] + work.Timeline[Stage.Execute]).Ticks;
        var spent = inRun ? ran : work.Timeline[Stage.Queue].Ticks;
        var stopped = work.StoppedRun ? 1 : 0;
        switch (ended)
        {
            case null:
                record.Decide(DecisionKind.Executed, work.Timeline[Stage.Execute].Ticks, service);
                break;
            case FaultKind.DroppedLate:
                record.Decide(DecisionKind.DroppedLate, spent, service, (work.Placement.Deadline - work.Timeline.Last).Ticks);
                break;
            case FaultKind.DeadlineExceeded:
                record.Decide(inRun ? DecisionKind.ExpiredInRun : DecisionKind.ExpiredInQueue, spent, stopped);
                break;
            case FaultKind.Cancelled:
                record.Decide(inRun ? DecisionKind.CancelledInRun : DecisionKind.CancelledInQueue, spent, stopped);
                break;
            default:
                record.Decide(GuardExplanation.EndOf(ended, inRun), spent, inRun ? 1 : 0);
                break;
        }
    }

    private static void ExplainLaunch(ref RequestRecord record, Work work)
    {
        var (service, inline) = (work.Placement.Service.Ticks, DeploymentFlow.InlineMax.Ticks);
        switch (work.Launch)
        {
            case Launch.Inline:
                record.Decide(DecisionKind.RunInline, service, inline);
                break;
            case Launch.Start:
                record.Decide(DecisionKind.RunStarted, service, inline);
                break;
            case Launch.Queue:
                record.Decide(DecisionKind.Queued, work.Placement.QueueLength, work.ActiveWhenReady);
                break;
        }
    }
}

using Spillway.Config;
using Spillway.Flow;
using Spillway.Policies.Batching;
using Spillway.Telemetry;

namespace Spillway.Engine;

/// <summary>
/// Step 12 of a request: its stages, decisions and bill into metrics and the ring of recent requests. Allocates
/// nothing in steady state.
/// </summary>
public sealed class Recorder
{
    private readonly Dictionary<Door, ModelInstruments> _models = [];
    private readonly Dictionary<string, DeploymentInstruments> _deployments = [];
    private readonly RecentRequests _recent;
    private readonly InstrumentRegistry _registry = new();
    private readonly ServerInstruments _server;
    private readonly Clock _clock;

    /// <summary>Registers the series of everything served.</summary>
    public Recorder(Serving serving, Snapshot snapshot, string version)
    {
        _clock = serving.Clock;
        _recent = new(snapshot.Server.RecentRequestsMax);
        _server = new(_registry, version, _recent);
        _server.ConfigInForce(snapshot.Digest);
        var simulated = snapshot.Models.Where(m => m.Runtime == "simulated").Select(m => m.Name).ToHashSet();
        foreach (var door in serving.Doors)
        {
            _models[door] = new(_registry, door.Route.Model, simulated.Contains(door.Route.Deployment));
            if (!_deployments.ContainsKey(door.Route.Deployment))
                _deployments[door.Route.Deployment] = Instruments(door);
        }
    }

    internal RecentRequests Recent => _recent;

    internal InstrumentRegistry Registry => _registry;

    /// <summary>A request ended before a model was known.</summary>
    public void Unrouted(FaultKind why) => _server.Unrouted(why);

    /// <summary>A run ended; for the series of its deployment.</summary>
    internal DeploymentInstruments Of(string deployment) => _deployments[deployment];

    /// <summary>Settles and records one request at its very end.</summary>
    internal void Record(Work work, in Delivery delivery)
    {
        var record = new RequestRecord
        {
            RequestId = delivery.RequestId,
            ClientId = work.Request.Id,
            TraceId = delivery.Trace,
            Model = work.Door.Route.Model.Name,
            Version = work.Door.Route.Model.Version,
            Deployment = work.Door.Route.Deployment,
            Started = _clock.Time.GetUtcNow() - work.Timeline.Total,
            Outcome = delivery.Fault?.Kind,
            Message = delivery.Fault?.Message ?? "",
            Status = delivery.Status,
            BytesIn = delivery.BytesIn,
            BytesOut = delivery.BytesOut,
            Simulated = work.Door.Traits?.Simulated ?? false,
        };
        record.Timeline = work.Timeline;
        var answered = delivery.Fault is null;
        var bill = work.Flow.Settle(answered ? new(work.Claim.Rows, work.Claim.Elements) : default, work.Run.Rows);
        Explain(ref record, work, delivery);
        if (bill.Run != Money.Zero)
            record.Charge("run", bill.Run);
        if (bill.Rows != Money.Zero)
            record.Charge("rows", bill.Rows);
        if (answered)
        {
            record.Decide(DecisionKind.Settled, bill.Total.Nano, work.Claim.Rows);
            record.Decide(DecisionKind.Answered, delivery.Status, delivery.BytesOut);
        }

        _models[work.Door].Record(work.Timeline, delivery.Fault?.Kind, answered ? work.Claim.Rows : 0, delivery.BytesIn, delivery.BytesOut);
        if (delivery.Fault is { } fault)
            _deployments[work.Door.Route.Deployment].Dropped(fault.Kind);
        else if (work.Door.Decodes)
            _models[work.Door].PictureDecodes.Add(work.Claim.Rows);
        _recent.Write(record);
    }

    private static void Explain(ref RequestRecord record, Work work, in Delivery delivery)
    {
        var placement = work.Placement;
        if (placement.Deadline == default)
        {
            ExplainGate(ref record, delivery);
            return;
        }

        var left = placement.Deadline - work.Timeline.Started;
        (record.Rows, record.Elements) = (work.Claim.Rows, work.Claim.Elements);
        (record.Deadline, record.PredictedWait, record.PredictedRun) = (left, placement.Wait, placement.Service);
        record.QueueDepth = placement.QueueLength;
        record.Decide(DecisionKind.GatePassed);
        record.Decide(DecisionKind.Routed);
        record.Decide(DecisionKind.CacheBypassed);
        ExplainDeadline(ref record, work);
        if (placement.Refused is { } refused)
        {
            if (refused is FaultKind.QueueFull)
                record.Decide(DecisionKind.RefusedQueueFull, placement.QueueLength, work.Door.Route.QueueLengthMax);
            else
                record.Decide(DecisionKind.RefusedPredictedLate, placement.Wait.Ticks, placement.Service.Ticks, left.Ticks);
            return;
        }

        record.Decide(DecisionKind.Placed, placement.QueueLength, work.Door.Route.QueueLengthMax);
        ExplainRun(ref record, work, delivery);
    }

    private static void ExplainGate(ref RequestRecord record, in Delivery delivery)
    {
        var kind = delivery.Fault?.Kind;
        record.Decide(kind switch
        {
            FaultKind.ShuttingDown => DecisionKind.RefusedShuttingDown,
            FaultKind.ModelNotReady => DecisionKind.RefusedNotReady,
            FaultKind.ServerFull => DecisionKind.RefusedServerFull,
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
        var placement = work.Placement;
        var waited = work.Timeline[Stage.Queue].Ticks;
        var ran = (work.Timeline[Stage.Batch] + work.Timeline[Stage.Execute]).Ticks;
        if (work.IsReady)
        {
            var inline = DeploymentFlow.InlineMax.Ticks;
            record.Decide(work.Launch switch
            {
                Launch.Inline => DecisionKind.RunInline,
                Launch.Start => DecisionKind.RunStarted,
                Launch.Queue => DecisionKind.Queued,
            }, work.Launch is Launch.Queue ? placement.QueueLength : placement.Service.Ticks, work.Launch is Launch.Queue ? work.ActiveWhenReady : inline);
        }

        if (work.Run.Requests > 0)
        {
            (record.BatchRows, record.BatchRequests, record.Cut) = (work.Run.Rows, work.Run.Requests, work.Run.Why);
            (record.Runner, record.Device) = (work.Run.Runner, work.Door.Deployment!.DeviceOf(work.Run.Runner).Name);
            record.Decide(DecisionKind.Batched);
        }

        var inRun = work.Run.Requests > 0;
        switch (delivery.Fault?.Kind)
        {
            case null:
                record.Decide(DecisionKind.Executed, work.Timeline[Stage.Execute].Ticks, placement.Service.Ticks);
                break;
            case FaultKind.DroppedLate:
                record.Decide(DecisionKind.DroppedLate, waited, placement.Service.Ticks, (placement.Deadline - work.Timeline.Last).Ticks);
                break;
            case FaultKind.DeadlineExceeded:
                record.Decide(inRun ? DecisionKind.ExpiredInRun : DecisionKind.ExpiredInQueue, inRun ? ran : waited, work.StoppedRun ? 1 : 0);
                break;
            case FaultKind.Cancelled:
                record.Decide(inRun ? DecisionKind.CancelledInRun : DecisionKind.CancelledInQueue, inRun ? ran : waited, work.StoppedRun ? 1 : 0);
                break;
            default:
                record.Decide(inRun ? DecisionKind.RunFailed : DecisionKind.RefusedInvalid, ran);
                break;
        }
    }

    private DeploymentInstruments Instruments(Door door)
    {
        double Ask(Func<Deployment, double> what) => door.Deployment is { } there ? what(there) : 0;
        return new(_registry, new(door.Route.Deployment, door.Route.Model.Version), ["all"], new()
        {
            QueueDepth = () => Ask(d => d.Look().QueueLength),
            InFlight = () => Ask(d => d.Look().Active),
            PredictedWaitSeconds = () => Ask(d => d.Look().PredictedWait.TotalSeconds),
            Runners = () => Ask(d => d.Look().Runners),
        });
    }

    /// <summary>How a request ended on the wire.</summary>
    /// <param name="RequestId">For explain.</param>
    /// <param name="Trace">The trace it belongs to.</param>
    /// <param name="Fault">Why it was not answered; null when it was.</param>
    /// <param name="Status">HTTP status.</param>
    /// <param name="BytesIn">Of the body.</param>
    /// <param name="BytesOut">Of the answer.</param>
    /// <param name="BytesHeld">Request bytes that the server held, on a refusal for them.</param>
    /// <param name="BytesHeldMax">Their limit.</param>
    internal readonly record struct Delivery(
        string RequestId, TraceId Trace, Fault? Fault, int Status, long BytesIn, long BytesOut,
        long BytesHeld = 0, long BytesHeldMax = 0);
}

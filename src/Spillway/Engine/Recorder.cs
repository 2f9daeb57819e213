using System.Collections.Concurrent;
using Spillway.Config;
using Spillway.Flow;
using Spillway.Telemetry;
using Spillway.Telemetry.Otlp;

namespace Spillway.Engine;

/// <summary>
/// Step 12 of a request: its stages, decisions and bill into metrics and the ring of recent requests. Allocates
/// nothing in steady state.
/// </summary>
public sealed class Recorder
{
    private readonly Dictionary<Door, ModelInstruments> _models = [];
    private readonly ConcurrentDictionary<string, DeploymentInstruments> _deployments = [];
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
            _models[door] = new(_registry, door.Route.Model, new ModelGauges
            {
                Simulated = simulated.Contains(door.Route.Deployment),
                Ready = () => door.Route.State is RouteState.Ready,
                Failed = () => door.Route.State is RouteState.Failed,
            });
        }
    }

    internal RecentRequests Recent => _recent;

    internal InstrumentRegistry Registry => _registry;

    /// <summary>Where finished requests go to become spans; null where nobody wants them. Set before serving.</summary>
    internal SpanQueue? Spans { get; set; }

    /// <summary>A request ended before a model was known.</summary>
    public void Unrouted(FaultKind why) => _server.Unrouted(why);

    /// <summary>A deployment begins to serve: its series.</summary>
    internal DeploymentInstruments Open(Deployment deployment)
    {
        var instruments = Instruments(deployment);
        _deployments[deployment.Name] = instruments;
        return instruments;
    }

    /// <summary>Settles and records one request at its very end.</summary>
    internal void Record(Work work, in Delivery delivery)
    {
        var record = new RequestRecord
        {
            RequestId = delivery.RequestId,
            ClientId = work.Request.Id,
            TraceId = delivery.Trace,
            Link = delivery.Link,
            Model = work.Door.Route.Model.Name,
            Version = work.Door.Route.Model.Version,
            Deployment = work.Door.Route.Deployment,
            Started = _clock.Time.GetUtcNow() - work.Timeline.Total,
            Outcome = delivery.Fault?.Kind,
            Message = delivery.Fault?.Message ?? "",
            Status = delivery.Status,
            BytesIn = delivery.BytesIn,
            BytesOut = delivery.BytesOut,
            Decode = work.DecodeTime,
            Simulated = work.Door.Traits?.Simulated ?? false,
        };
        record.Timeline = work.Timeline;
        var answered = delivery.Fault is null;
        var bill = work.Flow.Settle(answered ? new(work.Claim.Rows, work.Claim.Elements) : default, work.Run.Rows);
        Explanation.Write(ref record, work, delivery);
        if (answered)
            Explanation.Close(ref record, bill, work.Claim.Rows, delivery);

        Count(work, delivery);
        Spans?.Offer(record);
        _recent.Write(record);
    }

    private void Count(Work work, in Delivery delivery)
    {
        var model = _models[work.Door];
        var rows = delivery.Fault is null ? work.Claim.Rows : 0;
        model.Record(work.Timeline, delivery.Fault?.Kind, rows, delivery.BytesIn, delivery.BytesOut);
        if (delivery.Fault is { } fault && _deployments.TryGetValue(work.Door.Route.Deployment, out var deployment))
            deployment.Dropped(fault.Kind);
        else if (delivery.Fault is null && work.Door.Decodes)
            model.PictureDecodes.Add(rows);
    }

    private DeploymentInstruments Instruments(Deployment deployment) => new(
        _registry, new(deployment.Name, deployment.Version), deployment.Devices, new()
        {
            QueueLengthMax = () => deployment.QueueLengthMax,
            QueueDepth = () => deployment.Look().QueueLength,
            InFlight = () => deployment.Look().Active,
            PredictedWaitSeconds = () => deployment.Look().PredictedWait.TotalSeconds,
            Runners = () => deployment.Look().Runners,
            ServiceRows = [.. Enumerable.Range(0, 11).Select(power => 1 << power).TakeWhile(rows => rows <= deployment.BatchMax)],
            ServiceSeconds = rows => deployment.Predict(rows, rows * deployment.TypicalElements).TotalSeconds,
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
/// <param name="Link">Its span and its caller's.</param>
internal readonly record struct Delivery(
    string RequestId, TraceId Trace, Fault? Fault, int Status, long BytesIn, long BytesOut,
    long BytesHeld = 0, long BytesHeldMax = 0, SpanLink Link = default);

using System.Collections.Concurrent;
using Spillway.Config;
using Spillway.Engine.Audit;
using Spillway.Engine.Gateway;
using Spillway.Engine.Routes;
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
    private readonly ConcurrentDictionary<ModelRef, ModelInstruments> _models = [];
    private readonly Dictionary<ModelRef, Counted> _deployments = [];
    private readonly Lock _changing = new();
    private readonly RecentRequests _recent;
    private readonly InstrumentRegistry _registry = new();
    private readonly ServerInstruments _server;
    private readonly Clock _clock;
    private readonly Func<ModelRef, bool> _isSimulated;
    private readonly Serving _serving;
    private readonly bool _triton;

    /// <summary>Registers the series of everything served.</summary>
    public Recorder(Serving serving, Snapshot snapshot, string version)
    {
        (_clock, _isSimulated) = (serving.Clock, serving.Models.IsSimulated);
        (_serving, _triton) = (serving, snapshot.Server.TritonMetricNames);
        _recent = new(snapshot.Server.RecentRequestsMax);
        _server = new(_registry, version, _recent);
        _server.ConfigInForce(snapshot.Digest);
        _server.Memory(serving.Models.Residency.Budgets);
        RouteSeries.Register(serving.Models.Routes, serving.Upstreams, _registry);
        serving.Gateway.Register(_registry, snapshot.Server.VllmMetricNames);
        foreach (var door in serving.Doors)
            Instruments(door);
        foreach (var route in serving.Gateway.Routes)
            Instruments(route.Door);
    }

    internal RecentRequests Recent => _recent;

    internal InstrumentRegistry Registry => _registry;

    /// <summary>Which requests the ring keeps, where a served name has no setting of its own.</summary>
    internal TraceControl Tracing { get; } = new();

    /// <summary>Where finished requests go to become spans; null where nobody wants them. Set before serving.</summary>
    internal SpanQueue? Spans { get; set; }

    /// <summary>Who else takes finished requests. Set before serving.</summary>
    internal IReadOnlyList<IRecordSink> Sinks { get; set; } = [];

    /// <summary>Keeps the inputs of models that ask for it; null without an audit log. Set before serving.</summary>
    internal AuditSink? Audit { get; set; }

    /// <summary>A request ended before a model was known.</summary>
    public void Unrouted(FaultKind why) => _server.Unrouted(why);

    /// <summary>
    /// What counts a deployment. One that takes the place of another with the same devices goes on with its counters.
    /// </summary>
    internal DeploymentInstruments Open(DeploymentFacts facts)
    {
        lock (_changing)
        {
            if (_deployments.TryGetValue(facts.Model, out var known))
            {
                if (known.Facts.Devices.SequenceEqual(facts.Devices) && known.Facts.BatchMax == facts.BatchMax
                    && known.Facts.Buckets.SequenceEqual(facts.Buckets) && known.Facts.Stateful == facts.Stateful)
                    return known.Instruments!;
                known.Instruments!.Dispose();
            }

            var counted = new Counted(facts);
            counted.Instruments = new(_registry, facts.Model, facts.Devices, Gauges(counted));
            _deployments[facts.Model] = counted;
            return counted.Instruments;
        }
    }

    /// <summary>A deployment begins to serve: what a scrape asks, it asks this one.</summary>
    internal void Opened(Deployment deployment)
    {
        lock (_changing)
        {
            if (_deployments.TryGetValue(new(deployment.Name, deployment.Version), out var counted))
                counted.Deployment = deployment;
        }
    }

    /// <summary>A model version is known no more: its series end.</summary>
    /// <param name="model">The deployment; null when it is served again already.</param>
    /// <param name="names">Served names that are gone.</param>
    internal void Removed(ModelRef? model, IEnumerable<ModelRef> names)
    {
        lock (_changing)
        {
            if (model is { } deployment && _deployments.Remove(deployment, out var counted))
                counted.Instruments!.Dispose();
            foreach (var name in names)
            {
                if (_models.TryRemove(name, out var instruments))
                    instruments.Dispose();
            }
        }
    }

    /// <summary>A configuration was read again, and refused.</summary>
    internal void ReloadRefused() => _server.Reloaded(applied: false);

    /// <summary>Another configuration is in force: names that are gone are shown no more.</summary>
    /// <param name="snapshot">It.</param>
    /// <param name="before">The routes over language models that were in force.</param>
    internal void Reloaded(Snapshot snapshot, IReadOnlyList<ChatRoute> before)
    {
        _server.Reloaded(applied: true);
        _server.ConfigInForce(snapshot.Digest);
        Removed(null, before.Where(was => _serving.Gateway.Find(was.Name)?.Door.Traits!.Simulated
            != was.Door.Traits!.Simulated).Select(was => was.Door.Route.Model));
        foreach (var route in _serving.Gateway.Routes)
            Instruments(route.Door);
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
            Caller = work.Caller,
            Model = work.Door.Route.Model.Name,
            Version = work.Door.Route.Model.Version,
            Deployment = work.Door.Route.Deployment,
            ConfigDigest = work.Config.Digest, PriceDigest = work.Config.PriceDigest,
            Started = _clock.Time.GetUtcNow() - work.Timeline.Total,
            Outcome = delivery.Fault?.Kind,
            Message = delivery.Fault?.Message ?? "",
            Status = delivery.Status,
            BytesIn = delivery.BytesIn,
            BytesOut = delivery.BytesOut,
            Decode = work.DecodeTime,
            Owner = work.Door.Owner,
            Simulated = IsSimulated(work),
        };
        record.Timeline = work.Timeline;
        // Of a route its steps say it.
        if (work.Trail is null && work.Door.Deployment is { } ran)
            (record.ModelDigest, record.SignedBy) = (ran.Provenance.Digest, ran.Provenance.SignedBy);
        var answered = delivery.Fault is null;
        record.Charged = work.Flow.Settle(answered ? work.Used : default, work.Share);
        if (work.Chat is { } chat)
            record.Charged = ChatExplanation.Charge(ref record, chat);
        _serving.Guards.Settle(work, record.Charged.Total, work.Lost);
        Explain(ref record, work, delivery);

        var model = work.Door.Instruments ?? Instruments(work.Door);
        Count(work, delivery, model, record.Started);
        HandOn(record, work);
        if (model.Tracing.Keeps(answered))
            _recent.Write(record);
    }

    private static void Explain(ref RequestRecord record, Work work, in Delivery delivery)
    {
        if (work.Chat is { } chat)
        {
            ChatExplanation.Write(ref record, work, chat, delivery);
            return;
        }

        Explanation.Write(ref record, work, delivery);
        Explanation.Cost(ref record, work);
        if (delivery.Fault is null)
            Explanation.Close(ref record, work.Claim.Rows, delivery);
    }

    /// <summary>To everybody else who takes finished requests.</summary>
    private void HandOn(in RequestRecord record, Work work)
    {
        Spans?.Offer(record);
        for (var i = 0; i < Sinks.Count; i++)
            Sinks[i].Offer(record);
        Audit?.Keep(work, record.RequestId);
    }

    private static void Count(Work work, in Delivery delivery, ModelInstruments model, DateTimeOffset started)
    {
        var rows = delivery.Fault is null ? work.Claim.Rows : 0;
        model.Statistics.Ended(work.Timeline, delivery.Fault?.Kind, rows, started.ToUnixTimeMilliseconds());
        work.Chat?.Counts.Record(work.Chat, work.Timeline, work.Ticket.Waited, delivery.Fault is null);
        model.Record(work.Timeline, delivery.Fault?.Kind, rows, delivery.BytesIn, delivery.BytesOut);
        // The steps of a route were counted where they failed.
        if (delivery.Fault is { } fault)
            (work.Trail is null ? work.Door.Deployment : null)?.Instruments?.Dropped(fault.Kind);
        else if (work.Door.TakesPictures)
            model.PictureDecodes.Add(rows);
    }

    /// <summary>What counts a name and version; made with its first door.</summary>
    internal ModelInstruments Instruments(Door door)
    {
        lock (_changing)
        {
            return door.Instruments ??= _models.GetOrAdd(
                door.Route.Model, static (model, self) => self.Make(model), this);
        }
    }

    private static bool IsSimulated(Work work) => work.Chat?.IsSimulated ?? work.Door.Traits?.Simulated ?? false;

    private ModelInstruments Make(ModelRef model)
    {
        var made = new ModelInstruments(_registry, model, Gauges(model)) { Tracing = new(Tracing) };
        if (_triton)
            made.Triton = new(_registry, model, made.Statistics, () => Pending(model));
        return made;
    }

    private ModelGauges Gauges(ModelRef model) => new()
    {
        Simulated = _isSimulated(model) || _serving.Gateway.Find(model.Name) is { Door.Traits.Simulated: true },
        Ready = () => _serving.Gateway.Find(model.Name) is not null
            || _serving.Find(model.Name, model.Version)?.Route.State is RouteState.Ready,
        Failed = () => _serving.Find(model.Name, model.Version)?.Route.State is RouteState.Failed,
    };

    private double Pending(ModelRef model) =>
        _serving.Find(model.Name, model.Version)?.Deployment?.Look().QueueLength ?? 0;

    /// <summary>Zero while nothing serves.</summary>
    private DeploymentGauges Gauges(Counted counted) => new()
    {
        MemoryBytes = () => _serving.Models.MemoryOf(counted.Facts.Model) ?? double.NaN,
        QueueLengthMax = () => counted.Deployment?.QueueLengthMax ?? 0,
        QueueDepth = () => counted.Look().QueueLength,
        InFlight = () => counted.Look().RequestsInRuns,
        PredictedWaitSeconds = () => counted.Look().PredictedWait.TotalSeconds,
        Runners = () => counted.Look().Runners,
        Buckets = counted.Facts.Buckets,
        Sequences = counted.Facts.Stateful ? () => counted.Deployment?.Sequences?.Count ?? 0 : null,
        ServiceRows = [.. Enumerable.Range(0, 11).Select(power => 1 << power)
            .TakeWhile(rows => rows <= counted.Facts.BatchMax)],
        ServiceSeconds = rows => counted.Deployment is { } serves
            ? serves.Predict(rows, rows * serves.TypicalElements).TotalSeconds : double.NaN,
    };

    private sealed class Counted(DeploymentFacts facts)
    {
        public DeploymentFacts Facts => facts;

        public DeploymentInstruments? Instruments { get; set; }

        public volatile Deployment? Deployment;

        public DeploymentState Look() => Deployment?.Look() ?? default;
    }
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

namespace Spillway.Telemetry.Otlp;

/// <summary>
/// Finished requests as an OTLP ExportTraceServiceRequest: one server span a request, and below it one span for each
/// stage that took time, at the times when it happened. Off the request path. One owner. Field numbers: trace/v1.
/// </summary>
/// <param name="resource">Who sends.</param>
/// <param name="version">Spillway's version, as that of the scope.</param>
/// <param name="ids">For the spans of stages.</param>
internal sealed class TracesPayload(
    IReadOnlyList<KeyValuePair<string, string>> resource, string version, SpanIds ids)
{
    private const int Internal = 1;
    private const int Server = 2;
    private const int StatusError = 2;
    private const int HttpServerErrors = 500;

    // What is sent is sampled, whoever decided so; the other bits say whether the parent is another process's.
    private const uint Sampled = 1;
    private const uint ParentKnown = 0x100;
    private const uint ParentRemote = 0x200;

    private const int TraceIdField = 1;
    private const int SpanIdField = 2;
    private const int ParentField = 4;
    private const int NameField = 5;
    private const int KindField = 6;
    private const int StartField = 7;
    private const int EndField = 8;
    private const int Attributes = 9;
    private const int StatusField = 15;
    private const int FlagsField = 16;

    /// <summary>Writes one request of the export protocol.</summary>
    public void Write(ProtoWriter proto, ReadOnlySpan<RequestRecord> records)
    {
        proto.Reset();
        var resourceSpans = proto.Begin(1);
        OtlpFields.Resource(proto, 1, resource);
        var scopeSpans = proto.Begin(2);
        OtlpFields.ScopeOf(proto, 1, version);
        foreach (ref readonly var record in records)
            Request(proto, record);
        proto.End(scopeSpans);
        proto.End(resourceSpans);
    }

    private void Request(ProtoWriter proto, in RequestRecord record)
    {
        var trace = record.TraceId.IsEmpty ? new TraceId(ids.Next(), ids.Next()) : record.TraceId;
        var own = record.Link.Span == 0 ? ids.Next() : record.Link.Span;
        var start = OtlpFields.UnixNanos(record.Started);
        var span = proto.Begin(2);
        proto.Id(TraceIdField, trace);
        proto.Id(SpanIdField, own);
        if (record.Link.HasParent)
            proto.Id(ParentField, record.Link.Parent);
        proto.Text(NameField, $"infer {record.Model}");
        proto.Varint(KindField, Server);
        proto.Fixed64(StartField, start);
        proto.Fixed64(EndField, start + Nanos(record.Stages.Total.Ticks));
        Identity(proto, record);
        Run(proto, record);
        Status(proto, record);
        proto.Fixed32(FlagsField, Sampled | ParentKnown | (record.Link.HasParent ? ParentRemote : 0));
        proto.End(span);
        Stages(proto, record, trace, own, start);
    }

    private static void Identity(ProtoWriter proto, in RequestRecord record)
    {
        Text(proto, "spillway.model", record.Model);
        Text(proto, "spillway.model_version", record.Version);
        Text(proto, "spillway.deployment", record.Deployment);
        Text(proto, "spillway.request_id", record.RequestId);
        Text(proto, "spillway.client_id", record.ClientId);
        Text(proto, "spillway.outcome", FaultLabels.Of(record.Outcome));
        if (record.Outcome is { } fault)
            Text(proto, "error.type", FaultLabels.Of(fault));
        if (record.Status > 0)
            OtlpFields.Attribute(proto, Attributes, "http.response.status_code", record.Status);
        OtlpFields.Attribute(proto, Attributes, "http.request.body.size", record.BytesIn);
        OtlpFields.Attribute(proto, Attributes, "http.response.body.size", record.BytesOut);
        if (record.Simulated)
            OtlpFields.Attribute(proto, Attributes, "spillway.simulated", value: true);
    }

    private static void Run(ProtoWriter proto, in RequestRecord record)
    {
        OtlpFields.Attribute(proto, Attributes, "spillway.rows", record.Rows);
        OtlpFields.Attribute(proto, Attributes, "spillway.queue_depth", record.QueueDepth);
        if (record.Deadline > TimeSpan.Zero)
            OtlpFields.Attribute(proto, Attributes, "spillway.deadline_ms", record.Deadline.TotalMilliseconds);
        OtlpFields.Attribute(proto, Attributes, "spillway.predicted_wait_ms", record.PredictedWait.TotalMilliseconds);
        OtlpFields.Attribute(proto, Attributes, "spillway.predicted_run_ms", record.PredictedRun.TotalMilliseconds);
        if (record.BatchRequests > 0)
        {
            OtlpFields.Attribute(proto, Attributes, "spillway.batch.rows", record.BatchRows);
            OtlpFields.Attribute(proto, Attributes, "spillway.batch.requests", record.BatchRequests);
            Text(proto, "spillway.batch.cut", record.Cut.Label());
            OtlpFields.Attribute(proto, Attributes, "spillway.runner", record.Runner);
            Text(proto, "spillway.device", record.Device);
        }

        if (record.Total != Money.Zero)
            OtlpFields.Attribute(proto, Attributes, "spillway.bill_nano", record.Total.Nano);
        var decisions = new string[record.Decisions.Length];
        for (var i = 0; i < decisions.Length; i++)
            decisions[i] = DecisionText.Render(record.Decisions[i], record);
        OtlpFields.Attribute(proto, Attributes, "spillway.decisions", decisions);
    }

    /// <summary>As the conventions for HTTP servers have it: an error is what a 5xx answer says.</summary>
    private static void Status(ProtoWriter proto, in RequestRecord record)
    {
        if (record.Outcome is null || record.Status is > 0 and < HttpServerErrors)
            return;
        var status = proto.Begin(StatusField);
        proto.Text(2, record.Message.AsSpan(0, Math.Min(record.Message.Length, OtlpFields.TextLengthMax)));
        proto.Varint(3, StatusError);
        proto.End(status);
    }

    /// <summary>
    /// The timeline's stages follow one another, with one exception that the record knows: pictures are parsed after
    /// the gate. So each stage's place in time follows from the times before it.
    /// </summary>
    private void Stages(ProtoWriter proto, in RequestRecord record, TraceId trace, ulong parent, ulong start)
    {
        var stages = record.Stages;
        var at = start;
        foreach (var stage in StageNames.All)
        {
            if (stage is Stage.Queue)
                at = OneStage(proto, "decode", Stage.Parse, record.Decode.Ticks, trace, parent, at);
            var ticks = stages[stage].Ticks - (stage is Stage.Parse ? record.Decode.Ticks : 0);
            at = OneStage(proto, stage.Name(), stage, ticks, trace, parent, at);
        }
    }

    /// <summary>Writes a stage that took time; returns its end.</summary>
    private ulong OneStage(
        ProtoWriter proto, string name, Stage stage, long ticks, TraceId trace, ulong parent, ulong start)
    {
        if (ticks <= 0)
            return start;
        var end = start + Nanos(ticks);
        var span = proto.Begin(2);
        proto.Id(TraceIdField, trace);
        proto.Id(SpanIdField, ids.Next());
        proto.Id(ParentField, parent);
        proto.Text(NameField, name);
        proto.Varint(KindField, Internal);
        proto.Fixed64(StartField, start);
        proto.Fixed64(EndField, end);
        Text(proto, "spillway.stage", stage.Name());
        proto.Fixed32(FlagsField, Sampled | ParentKnown);
        proto.End(span);
        return end;
    }

    private static void Text(ProtoWriter proto, string key, string value)
    {
        if (value.Length > 0)
            OtlpFields.Attribute(proto, Attributes, key, value);
    }

    private static ulong Nanos(long ticks) => (ulong)(ticks * TimeSpan.NanosecondsPerTick);
}

using Spillway.Telemetry;
using Spillway.Telemetry.Otlp;

namespace Spillway.Tests.Telemetry.Otlp;

public sealed class TracesPayloadTests
{
    private static readonly TracesPayload s_payload =
        new([new("service.name", "spillway"), new("k", "v")], "0.1.0", new(7));

    [Fact]
    public void A_request_is_a_server_span_with_its_identity_and_its_parent()
    {
        var record = Records.Answered();
        record.Link = new(0x00f067aa0ba902b7, 0x0102030405060708, 1);
        var (resource, spans) = Write(record);

        Assert.Equal(("spillway", "v"), (resource["service.name"], resource["k"]));
        var span = spans[0];
        Assert.Equal(("0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7", "0102030405060708"),
            (span.Trace, span.Id, span.Parent));
        Assert.Equal(("infer line-ocr", 2ul, 0ul), (span.Name, span.Kind, span.Status));
        var started = (ulong)(record.Started.ToUnixTimeMilliseconds() * 1_000_000);
        Assert.Equal((started, (ulong)record.Stages.Total.Ticks * 100), (span.Start, span.End - span.Start));
        Assert.Equal(0x301ul, span.Flags);
        Assert.Equal("line-ocr", span.Attributes["spillway.model"]);
        Assert.Equal("1", span.Attributes["spillway.model_version"]);
        Assert.Equal("line-ocr-5", span.Attributes["spillway.deployment"]);
        Assert.Equal("r-000042", span.Attributes["spillway.request_id"]);
        Assert.Equal("ok", span.Attributes["spillway.outcome"]);
        Assert.Equal(200L, span.Attributes["http.response.status_code"]);
        Assert.Equal(3L, span.Attributes["spillway.batch.requests"]);
        Assert.Equal("idle", span.Attributes["spillway.batch.cut"]);
        Assert.Equal(250.0, span.Attributes["spillway.deadline_ms"]);
        Assert.Equal(1500L, span.Attributes["spillway.bill_nano"]);
        Assert.Contains("\nBatch of 3 requests", (string)span.Attributes["spillway.decisions"], StringComparison.Ordinal);
        Assert.False(span.Attributes.ContainsKey("error.type"));
    }

    [Fact]
    public void Stages_are_children_without_gaps_at_their_own_times_and_those_without_time_are_left_out()
    {
        var record = Records.Answered();
        var (_, spans) = Write(record);

        var (root, stages) = (spans[0], spans[1..]);
        Assert.Equal(["receive", "parse", "gate", "queue", "batch", "execute", "output", "write"], stages.Select(s => s.Name));
        var at = root.Start;
        foreach (var stage in stages)
        {
            Assert.Equal((root.Trace, root.Id, at, 1ul), (stage.Trace, stage.Parent, stage.Start, stage.Kind));
            var ticks = record.Stages[Enum.Parse<Stage>(stage.Name, ignoreCase: true)].Ticks;
            Assert.Equal((ulong)ticks * 100, stage.End - stage.Start);
            at = stage.End;
        }

        Assert.Equal(root.End, at);
        Assert.Equal(spans.Count, spans.Select(s => s.Id).Distinct().Count());
    }

    [Fact]
    public void Pictures_that_were_decoded_after_the_gate_are_drawn_there()
    {
        var record = Records.Answered();
        record.Decode = TimeSpan.FromMilliseconds(1.5);
        var (_, spans) = Write(record);

        var (gate, decode, parse) = (One("gate"), One("decode"), One("parse"));
        Assert.Equal(gate.End, decode.Start);
        Assert.Equal(1_500_000ul, decode.End - decode.Start);
        Assert.Equal("parse", decode.Attributes["spillway.stage"]);
        Assert.Equal((ulong)record.Stages[Stage.Parse].Ticks * 100, parse.End - parse.Start + 1_500_000);
        Assert.Equal(spans[0].End, spans[^1].End);

        Span One(string name) => spans.Single(s => s.Name == name);
    }

    [Fact]
    public void A_server_failure_is_an_error_with_its_message_and_a_refusal_of_the_callers_making_is_not()
    {
        var record = Records.Answered();
        (record.Outcome, record.Status, record.Message) = (FaultKind.RuntimeFailed, 500, "It broke.");
        var span = Write(record).Spans[0];
        Assert.Equal((2ul, "It broke.", "runtime_failed"), (span.Status, span.Message, span.Attributes["error.type"]));

        (record.Outcome, record.Status) = (FaultKind.InvalidInput, 400);
        span = Write(record).Spans[0];
        Assert.Equal((0ul, "invalid_input"), (span.Status, span.Attributes["error.type"]));
    }

    [Fact]
    public void A_request_without_a_trace_gets_ids_and_long_texts_are_cut()
    {
        var record = Records.Answered();
        (record.TraceId, record.ClientId) = (default, new string('x', 5_000));
        var span = Write(record).Spans[0];

        Assert.NotEqual(new string('0', 32), span.Trace);
        Assert.Equal((32, 16, ""), (span.Trace.Length, span.Id.Length, span.Parent));
        Assert.Equal(OtlpFields.TextLengthMax, ((string)span.Attributes["spillway.client_id"]).Length);
    }

    private static (Dictionary<string, object> Resource, List<Span> Spans) Write(RequestRecord record)
    {
        var proto = new ProtoWriter();
        s_payload.Write(proto, [record]);
        return Span.Read(proto.Written.Span);
    }
}

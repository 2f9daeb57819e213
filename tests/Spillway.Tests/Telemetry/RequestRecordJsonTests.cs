using System.Buffers;
using System.Text;
using System.Text.Json;
using Spillway.Telemetry;

namespace Spillway.Tests.Telemetry;

public class RequestRecordJsonTests
{
    [Fact]
    public void A_record_says_who_what_and_why()
    {
        using var document = JsonDocument.Parse(Write(Records.Answered()));
        var json = document.RootElement;
        Assert.Equal("r-000042", json.GetProperty("id").GetString());
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", json.GetProperty("trace_id").GetString());
        Assert.Equal("2026-03-04T03:06:07.089Z", json.GetProperty("started").GetString());
        Assert.Equal("ok", json.GetProperty("outcome").GetString());
        Assert.Equal("4.1", json.GetProperty("predicted_wait_ms").GetRawText());
        Assert.Equal("idle", json.GetProperty("batch").GetProperty("cut").GetString());
        Assert.Equal("0.000001500", json.GetProperty("bill_total").GetString());
        Assert.Equal(
            ["gate_passed", "routed", "cache_bypassed", "deadline_floor", "placed", "queued", "batched", "executed", "settled", "answered"],
            json.GetProperty("decisions").EnumerateArray().Select(decision => decision.GetProperty("kind").GetString()!));
    }

    [Fact]
    public void The_stages_stand_in_order_and_sum_to_the_total_exactly()
    {
        using var document = JsonDocument.Parse(Write(Records.Answered()));
        var stages = document.RootElement.GetProperty("stages").EnumerateArray().ToList();
        Assert.Equal(
            ["receive", "parse", "gate", "cache", "queue", "batch", "execute", "output", "write"],
            stages.Select(stage => stage.GetProperty("stage").GetString()!));
        var total = document.RootElement.GetProperty("total_ms").GetDecimal();
        Assert.Equal(40.6306m, total);
        Assert.Equal(total, stages.Sum(stage => stage.GetProperty("ms").GetDecimal()));
    }

    [Fact]
    public void A_refused_request_has_its_fault_and_no_batch()
    {
        var record = new RequestRecord
        {
            RequestId = "r1", Outcome = FaultKind.QueueFull, Message = "The queue is full.", Status = 503,
        };
        using var document = JsonDocument.Parse(Write(record));
        Assert.Equal("queue_full", document.RootElement.GetProperty("outcome").GetString());
        Assert.Equal("The queue is full.", document.RootElement.GetProperty("message").GetString());
        Assert.Equal(JsonValueKind.Null, document.RootElement.GetProperty("batch").ValueKind);
        Assert.Equal("", document.RootElement.GetProperty("trace_id").GetString());
    }

    internal static string Write(in RequestRecord record)
    {
        var written = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(written))
            RequestRecordJson.Write(json, record);
        return Encoding.UTF8.GetString(written.WrittenSpan);
    }
}

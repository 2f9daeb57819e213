using System.Text;
using System.Text.Json;
using Spillway.App.Cli.Top;
using Spillway.Telemetry;
using Spillway.Tests.Telemetry;

namespace Spillway.Tests.App.Cli.Top;

/// <summary>A small server's instruments, the real ones, and what one poll of it would say.</summary>
internal sealed class Pages : IDisposable
{
    private readonly InstrumentRegistry _registry = new();
    private readonly ModelInstruments _ocr;
    private readonly ModelInstruments _idle;
    private readonly DeploymentInstruments _deployment;

    public Pages()
    {
        _ocr = new(_registry, new("line-ocr", "1"), simulated: false);
        _idle = new(_registry, new("idle", "2"), simulated: true);
        _deployment = new(_registry, new("line-ocr", "1"), ["cpu"], new()
        {
            QueueDepth = () => Queue, QueueLengthMax = () => 256, InFlight = () => 4, Runners = () => 2,
            PredictedWaitSeconds = () => 0.012, ServiceRows = [1, 2], ServiceSeconds = rows => rows * 0.012,
        });
    }

    public double Queue { get; set; } = 3;

    public double Started { get; set; } = 1_767_000_000;

    public double Cpu { get; set; }

    public string Ocr { get; set; } = "READY";

    /// <summary>So many answers of 1.5 ms + 12 ms execute, and so many refusals.</summary>
    public Pages Serve(int answers, int refusals = 0)
    {
        for (var i = 0; i < answers; i++)
            _ocr.Record(Timelines.Of(execute: 120_000), outcome: null, rows: 1, bytesIn: 100, bytesOut: 20);
        for (var i = 0; i < refusals; i++)
        {
            _ocr.Record(Timelines.Of(execute: 0), FaultKind.QueueFull, rows: 1, bytesIn: 100, bytesOut: 20);
            _deployment.Dropped(FaultKind.QueueFull);
        }

        for (var i = 0; i < answers / 4; i++)
            _deployment.Took(rows: 4, requests: 4, i % 4 == 0 ? CutReason.Full : CutReason.Idle);
        _deployment.Ran(device: 0, TimeSpan.FromMilliseconds(3.0 * answers));
        return this;
    }

    public void Dispose()
    {
        _ocr.Dispose();
        _idle.Dispose();
        _deployment.Dispose();
    }

    /// <summary>The poll, so many seconds after the first.</summary>
    public Reading Read(double seconds)
    {
        var reading = new Reading
        {
            At = DateTimeOffset.FromUnixTimeSeconds(1_767_000_100).AddSeconds(seconds), Seconds = seconds,
        };
        reading.Metrics(Encoding.UTF8.GetString(_registry.Write()) + FormattableString.Invariant(
            $"""
            process_start_time_seconds {Started}
            process_cpu_seconds_total {Cpu}
            process_resident_memory_bytes 536870912
            dotnet_gc_heap_size_bytes 8388608
            dotnet_gc_allocated_bytes_total {1_000_000 * seconds}
            dotnet_gc_pause_seconds_total 0
            dotnet_thread_pool_queue_length 0

            """));
        reading.AdminServer(JsonElement.Parse("""
            {"name":"spillway","version":"0.1.0","ready":true,"stopping":false,"in_flight":7,"body_bytes_held":4096}
            """));
        reading.AdminModels(JsonElement.Parse($$"""
            {"models":[
              {"name":"line-ocr","version":"1","deployment":"line-ocr","state":"{{Ocr}}","simulated":false},
              {"name":"idle","version":"2","deployment":"idle","state":"LOADING","simulated":true},
              {"name":"broken","version":"1","deployment":"broken","state":"UNAVAILABLE","reason":"no such file"}]}
            """));
        return reading;
    }
}

using Spillway.App.Load;

namespace Spillway.Tests.App.Load;

public sealed class OpenLoopTests
{
    private const int Requests = 200;

    [Fact]
    public async Task A_stalled_server_is_charged_for_every_request_that_was_due_meanwhile()
    {
        var gate = new TaskCompletionSource();
        await using var server = new ScriptedServer(async r =>
        {
            if (r.Number == 1)
                await gate.Task;
            return ScriptedServer.Ok();
        });
        var clock = new LoadClock(TimeProvider.System);
        var settings = Settings(server, clock);
        var recorder = new Recorder(1, long.MaxValue, settings.Stages, csv: null);
        var schedule = new Schedule(new Arrivals.Constant(1000), [new(1, 1000)]);
        using var load = new OpenLoop(settings, recorder, warmup: null, schedule, connectionsMax: 1);

        load.Begin();
        await load.Exhausted;
        gate.SetResult();
        await DrainAsync(load, clock);

        // One every millisecond, and none was answered before the last was due: the i-th waited 200 - i ms at least.
        // A client that measured from its own late send would report the microseconds of a fast answer.
        var latency = recorder.Phases[0].OkLatency;
        Assert.Equal(Requests, latency.Count);
        Assert.True(latency.Quantile(0.5) >= 99 * LoadClock.PerMillisecond, $"p50 {latency.Quantile(0.5)} ns");
        Assert.True(latency.Max >= 199 * LoadClock.PerMillisecond);
        Assert.Equal(Requests - 1, load.Waited);
        Assert.Equal(1, load.ConnectionCount);
        Assert.True(recorder.SendLag.Quantile(0.5) >= 99 * LoadClock.PerMillisecond);
    }

    [Fact]
    public async Task No_request_is_sent_before_it_is_due()
    {
        await using var server = ScriptedServer.Always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        var clock = new LoadClock(TimeProvider.System);
        var settings = Settings(server, clock);
        var recorder = new Recorder(1, long.MaxValue, settings.Stages, csv: null);
        var schedule = new Schedule(new Arrivals.Poisson(5000, new Random(1)), [new(1, 1000)]);
        using var load = new OpenLoop(settings, recorder, warmup: null, schedule, connectionsMax: 16);

        load.Begin();
        await load.Exhausted;
        await DrainAsync(load, clock);

        Assert.Equal(Requests, recorder.Phases[0].Ok);
        Assert.True(recorder.DispatchLag.Min >= 0);
        Assert.True(recorder.SendLag.Min >= recorder.DispatchLag.Min);
    }

    private static async Task DrainAsync(OpenLoop load, LoadClock clock)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5), clock.Time);
        while (load.InFlight > 0)
            await timer.WaitForNextTickAsync();
    }

    private static LoadSettings Settings(ScriptedServer server, LoadClock clock) => new()
    {
        Clock = clock,
        Address = server.Address,
        Stages = new(),
        Requests = ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"u8.ToArray()],
        Seed = 1,
        MeasureFrom = clock.Now,
        MeasureTo = long.MaxValue,
        RequestsMax = Requests,
        TimeoutNs = 600 * LoadClock.PerSecond,
    };
}

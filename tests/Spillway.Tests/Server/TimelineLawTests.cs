using System.Collections.Concurrent;
using System.Text.Json;
using Spillway.Engine;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server;

/// <summary>
/// Stages are differences of consecutive stamps of one clock: on a clock that moves only inside one stage, that stage
/// has all the time and the others have none. Over the wire, with the whole server between.
/// </summary>
public sealed class TimelineLawTests
{
    /// <summary>Odd, and far below the deadline.</summary>
    private static readonly TimeSpan s_delay = TimeSpan.FromTicks(71_429);

    /// <summary>What the manual clock's coarse stamps may be off.</summary>
    private const double ToleranceMs = 0.001;

    [Theory]
    [InlineData(nameof(Stage.Receive))]
    [InlineData(nameof(Stage.Parse))]
    [InlineData(nameof(Stage.Gate))]
    [InlineData(nameof(Stage.Queue))]
    [InlineData(nameof(Stage.Batch))]
    [InlineData(nameof(Stage.Execute))]
    [InlineData(nameof(Stage.Output))]
    [InlineData(nameof(Stage.Write))]
    public async Task A_delay_inside_a_stage_appears_in_that_stage_alone(string name)
    {
        var slow = Enum.Parse<Stage>(name);
        var time = new ManualTimeProvider();
        var clock = new Clock(time);
        var stamped = new ConcurrentQueue<Stage>();
        clock.Stamping = stage =>
        {
            stamped.Enqueue(stage);
            if (stage == slow)
                time.Advance(s_delay);
        };
        await using var server = await TestServer.StartAsync(TestServer.Folder("", ("echo", TestServer.Simulated())), clock);

        var reply = await server.InferRowAsync("echo", id: "one");

        Assert.Equal(200, reply.Status);
        var record = await server.RecordAsync("one");
        var stages = Stages(record);
        foreach (var (stage, ms) in stages)
            Assert.Equal(stage == slow ? s_delay.TotalMilliseconds : 0, ms, ToleranceMs);
        Assert.Equal(s_delay.TotalMilliseconds, record.GetProperty("total_ms").GetDouble(), ToleranceMs);
        Assert.Equal(
            [Stage.Receive, Stage.Parse, Stage.Gate, Stage.Queue, Stage.Batch, Stage.Execute, Stage.Output, Stage.Write], stamped);

        // The header is written before the last stage is over.
        Assert.True(Spillway.Telemetry.ServerTiming.TryParse(reply.Header("Server-Timing"), out _));
        var total = double.Parse(reply.Header("Server-Timing")!.Split("total;dur=")[1], System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(slow is Stage.Write ? 0 : s_delay.TotalMilliseconds, total, ToleranceMs);
    }

    [Fact]
    public async Task With_a_delay_in_every_stage_the_stages_are_the_total_and_the_cache_which_does_not_exist_takes_none()
    {
        var time = new ManualTimeProvider();
        var clock = new Clock(time) { Stamping = stage => time.Advance(s_delay * ((int)stage + 1)) };
        await using var server = await TestServer.StartAsync(TestServer.Folder("", ("echo", TestServer.Simulated())), clock);

        Assert.Equal(200, (await server.InferRowAsync("echo", id: "all")).Status);

        var record = await server.RecordAsync("all");
        foreach (var (stage, ms) in Stages(record))
            Assert.Equal(stage is Stage.Cache ? 0 : s_delay.TotalMilliseconds * ((int)stage + 1), ms, ToleranceMs);
        var sum = record.GetProperty("stages").EnumerateArray().Sum(s => s.GetProperty("ms").GetDecimal());
        Assert.Equal(sum, record.GetProperty("total_ms").GetDecimal());
    }

    [Theory]
    [InlineData("{", 400)]
    [InlineData("{\"parameters\":{\"timeout\":1}}", 400)]
    public async Task A_refusal_has_its_stages_too(string body, int status)
    {
        var time = new ManualTimeProvider();
        var clock = new Clock(time) { Stamping = _ => time.Advance(s_delay) };
        await using var server = await TestServer.StartAsync(TestServer.Folder("", ("echo", TestServer.Simulated())), clock);
        Assert.Equal(status, (await server.InferAsync("echo", body, ("X-Request-Id", "no"))).Status);
        var record = await server.RecordAsync("no");
        var late = Stages(record).Where(s => s.Value > ToleranceMs).Select(s => s.Key).Order();
        Assert.Equal([Stage.Receive, Stage.Parse, Stage.Output, Stage.Write], late);
        Assert.Equal(4 * s_delay.TotalMilliseconds, record.GetProperty("total_ms").GetDouble(), ToleranceMs);
    }

    [Fact]
    public async Task A_deadline_passes_on_the_servers_clock_alone()
    {
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartAsync(
            TestServer.Folder("", ("slow", TestServer.Simulated("{ 1: 60000 }"))), new Clock(time));
        var waits = server.InferRowAsync("slow", "\"timeout\":5000000", "late");
        await server.UntilModelAsync("slow", "active_runs", 1);

        time.Advance(TimeSpan.FromMilliseconds(4999));
        Assert.Equal(1, (await server.ModelAsync("slow")).GetProperty("active_runs").GetInt32());
        Assert.False(waits.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));

        (await waits).Is(503, "deadline_exceeded");
        Assert.Equal(5000, (await server.RecordAsync("late")).GetProperty("total_ms").GetDouble(), 1.0);
        await server.UntilModelAsync("slow", "active_runs", 0);
    }

    private static Dictionary<Stage, double> Stages(JsonElement record) => record.GetProperty("stages").EnumerateArray().ToDictionary(
        s => Enum.Parse<Stage>(s.GetProperty("stage").GetString()!, ignoreCase: true), s => s.GetProperty("ms").GetDouble());
}

using Spillway.Engine;
using Spillway.Tests.Server;
using Spillway.Tests.Server.Routes;
using Spillway.Tests.Support;

namespace Spillway.Tests.Protocols.Grpc;

public sealed class GrpcStreamTests
{
    private static Task<TestServer> StartAsync(string server = "", Clock? clock = null) =>
        TestServer.StartAsync(GrpcServer.Folder(server), clock);

    [Fact]
    public async Task Answers_come_in_the_order_in_which_they_end_each_with_its_id()
    {
        var time = new ManualTimeProvider();
        await using var server = await StartAsync(clock: new Clock(time));
        await using var call = await GrpcStreamCall.OpenAsync(server);
        await call.SendAsync(Proto.Row("slow", "first", Proto.Parameter("timeout", Proto.Whole(2, 20_000_000))));
        await server.UntilModelAsync("slow", "active_runs", 1);
        await call.SendAsync(Proto.Row("echo", "second"));

        var quick = Proto.Field((await TestServer.ThroughAsync(time, call.NextAsync()))!, 2);
        Assert.Equal("second", Proto.TextOf(quick, 3));
        Assert.Equal(Proto.Floats(1, 2, 3, 4), Proto.Field(quick, 6));
        call.End();
        var late = (await TestServer.ThroughAsync(time, call.NextAsync(), stepMs: 100))!;
        Assert.Contains("slow", Proto.TextOf(late, 1), StringComparison.Ordinal);
        Assert.Equal("first", Proto.TextOf(Proto.Field(late, 2), 3));
        await call.EndsAsync(0);
    }

    [Fact]
    public async Task An_answer_on_a_stream_names_its_record()
    {
        await using var server = await StartAsync();
        await using var call = await GrpcStreamCall.OpenAsync(server);
        await call.SendAsync(Proto.Row("echo", "mine"));
        var entries = Proto.Read(Proto.Field((await call.NextAsync())!, 2)).Where(f => f.Field == 4)
            .ToDictionary(f => Proto.TextOf(f.Value, 1), f => Proto.Field(f.Value, 2));
        Assert.Equal(1, BitConverter.ToInt64(Proto.Field(entries["triton_final_response"], 1)));
        var record = await server.RecordAsync(Proto.TextOf(entries["x-request-id"], 3));
        Assert.Equal("mine", record.GetProperty("client_id").GetString());
        call.End();
        await call.EndsAsync(0);
    }

    [Fact]
    public async Task Each_answer_of_a_route_on_a_stream_tells_its_step_its_cache_and_why_it_is_degraded()
    {
        await using var server = await RoutedServer.StartAsync(
            "[{ model: a }, { model: b }]", RoutedServer.Cache(), a: RoutedServer.Broken);
        await using var call = await GrpcStreamCall.OpenAsync(server);
        await call.SendAsync(Proto.Row("r", "one"));
        var marks = await MarksAsync(call);
        Assert.Equal(
            ("b", "runtime_failed", "miss"),
            (marks["x-spillway-step"], marks["x-spillway-degraded"], marks["x-spillway-cache"]));
        await call.SendAsync(Proto.Row("b", "two"));
        Assert.DoesNotContain("x-spillway-step", (await MarksAsync(call)).Keys);
        await server.SendAsync(new(HttpMethod.Post, "/admin/v1/switches/off?route=r&why=test"));
        await call.SendAsync(Proto.Row("r", "three"));
        Assert.Equal("switched_off", (await MarksAsync(call))["fault"]);
        call.End();
        await call.EndsAsync(0);

        static async Task<Dictionary<string, string>> MarksAsync(GrpcStreamCall call) =>
            Proto.Read(Proto.Field((await call.NextAsync())!, 2)).Where(f => f.Field == 4)
                .Select(f => (Name: Proto.TextOf(f.Value, 1), Value: Proto.Field(f.Value, 2)))
                .Where(p => Proto.Read(p.Value).Any(v => v.Field == 3))
                .ToDictionary(p => p.Name, p => Proto.TextOf(p.Value, 3));
    }

    [Fact]
    public async Task A_request_on_a_stream_obeys_the_calls_cache_control_and_tells_the_age_of_a_hit()
    {
        await using var server = await RoutedServer.StartAsync("[{ model: a }]", RoutedServer.Cache());
        (await server.InferAsync("r", RoutedServer.Row("1,2,3,4"))).By("a");
        foreach (var (control, says) in new[] { ("max-age=1", "age"), ("no-store", "bypass") })
        {
            await using var call = await GrpcStreamCall.OpenAsync(server, headers: ("cache-control", control));
            await call.SendAsync(Proto.Row("r", "one"));
            var text = System.Text.Encoding.Latin1.GetString(Proto.Field((await call.NextAsync())!, 2));
            Assert.Contains(says, text, StringComparison.Ordinal);
            call.End();
            await call.EndsAsync(0);
        }
    }

    [Fact]
    public async Task No_more_are_read_than_may_be_in_flight()
    {
        await using var server = await StartAsync("grpcStreamInFlightMax: 3");
        await using var call = await GrpcStreamCall.OpenAsync(server);
        for (var i = 0; i < 10; i++)
            await call.SendAsync(Proto.Row("slow", $"{i}"));
        await server.UntilModelAsync("slow", "active_runs", 1);
        await server.UntilModelAsync("slow", "queue_length", 2);
        // A request on another way shows that the server had time to read more, and did not.
        await server.AssertAliveAsync();
        Assert.Equal(3, (await server.GetAsync("/admin/v1/server")).Json.GetProperty("in_flight").GetInt32());
        Assert.Equal(2, (await server.ModelAsync("slow")).GetProperty("queue_length").GetInt32());
    }

    [Fact]
    public async Task A_caller_that_leaves_stops_everything_of_its_stream()
    {
        await using var server = await StartAsync();
        var call = await GrpcStreamCall.OpenAsync(server);
        for (var i = 0; i < 3; i++)
            await call.SendAsync(Proto.Row("slow", $"{i}"));
        await server.UntilModelAsync("slow", "queue_length", 2);
        await call.DisposeAsync();
        await server.UntilModelAsync("slow", "queue_length", 0);
        await server.UntilModelAsync("slow", "active_runs", 0);
        await TestServer.UntilAsync(async () =>
            (await server.GetAsync("/admin/v1/server")).Json.GetProperty("body_bytes_held").GetInt64() == 0);
    }

    [Fact]
    public async Task Errors_stay_inside_the_stream_unless_the_caller_asks_for_a_status()
    {
        await using var server = await StartAsync();
        await using var lenient = await GrpcStreamCall.OpenAsync(server);
        await lenient.SendAsync(Proto.Row("nobody", "a"));
        Assert.Contains("unknown model", Proto.TextOf((await lenient.NextAsync())!, 1), StringComparison.Ordinal);
        await lenient.SendAsync(Proto.Row("echo", "b"));
        Assert.Equal("", Proto.TextOf((await lenient.NextAsync())!, 1));
        lenient.End();
        await lenient.EndsAsync(0);

        await using var strict = await GrpcStreamCall.OpenAsync(server, headers: ("triton_grpc_error", "true"));
        await strict.SendAsync(Proto.Row("nobody", "a"));
        await strict.EndsAsync(5, "unknown model");
    }

    [Fact]
    public async Task A_broken_frame_ends_the_stream_after_what_came_before_is_answered()
    {
        await using var server = await StartAsync();
        await using var call = await GrpcStreamCall.OpenAsync(server);
        await call.SendAsync(Proto.Row("echo", "whole"));
        Assert.Equal("whole", Proto.TextOf(Proto.Field((await call.NextAsync())!, 2), 3));
        await call.SendRawAsync(Proto.Frame(Proto.Row("echo"))[..^3]);
        call.End();
        await call.EndsAsync(13, "incomplete or broken");
    }

    [Theory]
    [InlineData(true, 13, "too slowly", 12)]
    [InlineData(false, 4, "grpcStreamIdleMs", 602)]
    public async Task A_silent_stream_is_ended(bool within, int status, string says, int seconds)
    {
        var time = new ManualTimeProvider();
        await using var server = await StartAsync(clock: new Clock(time));
        await using var call = await GrpcStreamCall.OpenAsync(server);
        await call.SendAsync(Proto.Row("nobody", "there"));
        Assert.NotNull(await call.NextAsync());
        if (within)
        {
            await call.SendRawAsync(Proto.Frame(Proto.Row("echo"))[..20]);
            await TestServer.UntilAsync(async () =>
                (await server.GetAsync("/admin/v1/server")).Json.GetProperty("body_bytes_held").GetInt64() > 0);
        }

        var ends = call.EndsAsync(status, says);
        for (var second = 0; second < seconds - 3; second++)
            time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(ends.IsCompleted);
        await PassingAsync(time, ends);
    }

    [Fact]
    public async Task A_stream_has_the_deadline_of_its_call()
    {
        var time = new ManualTimeProvider();
        await using var server = await StartAsync(clock: new Clock(time));
        await using var call = await GrpcStreamCall.OpenAsync(server, headers: ("grpc-timeout", "5S"));
        var ends = call.EndsAsync(4, "grpc-timeout");
        await PassingAsync(time, ends);
    }

    [Fact]
    public async Task A_stop_ends_open_streams_and_says_so()
    {
        await using var server = await StartAsync();
        await using var call = await GrpcStreamCall.OpenAsync(server);
        await call.SendAsync(Proto.Row("echo", "before"));
        Assert.NotNull(await call.NextAsync());
        Assert.True(await server.Serving.DrainAsync(TestServer.Patience));
        await call.EndsAsync(14, "stopping");
    }

    /// <summary>Lets time pass until it has ended: the server may begin to count when the test already looks.</summary>
    private static async Task PassingAsync(ManualTimeProvider time, Task ends)
    {
        await TestServer.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return ends.IsCompleted;
        });
        await ends;
    }
}

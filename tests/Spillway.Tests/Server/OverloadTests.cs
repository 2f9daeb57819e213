using System.Text;
using Spillway.Engine;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server;

/// <summary>A model whose runs take a minute: whatever waits behind one shows how overload and leaving are handled.</summary>
public sealed class OverloadTests
{
    [Fact]
    public async Task A_full_queue_is_a_503_that_says_what_to_do()
    {
        await using var server = await TestServer.StartSlowAsync(", queueLengthMax: 1");
        using var leave = new CancellationTokenSource();
        var running = server.InferRowAsync("slow", cancellation: leave.Token);
        await server.UntilModelAsync("slow", "active_runs", 1);
        var waiting = server.InferRowAsync("slow", cancellation: leave.Token);
        await server.UntilModelAsync("slow", "queue_length", 1);

        var refused = await server.InferRowAsync("slow", id: "third");

        refused.Is(503, "queue_full", "Exceeds maximum queue size", "holds 1 of 1 requests", "batching.queueLengthMax of slow");
        Assert.Equal("refused_queue_full", MetadataTests.Decisions(await server.RecordAsync("third")).Last());
        await LeaveAsync(leave, running, waiting);
    }

    [Fact]
    public async Task A_request_that_would_be_late_is_refused_at_once_with_the_figures()
    {
        await using var server = await TestServer.StartSlowAsync();
        using var leave = new CancellationTokenSource();
        var running = server.InferRowAsync("slow", cancellation: leave.Token);
        await server.UntilModelAsync("slow", "active_runs", 1);

        var refused = await server.InferRowAsync("slow", "\"timeout\":70000000", "late");

        refused.Is(503, "predicted_late", "cannot answer in time", "run 60000 ms", "parameter timeout");
        var record = await server.RecordAsync("late");
        Assert.Equal("refused_predicted_late", MetadataTests.Decisions(record).Last());
        Assert.Equal(0, record.GetProperty("queue_depth").GetInt32());
        await LeaveAsync(leave, running);
    }

    [Fact]
    public async Task An_idle_model_never_refuses_by_prediction_and_the_deadline_then_ends_the_run()
    {
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartSlowAsync(clock: new Clock(time));

        var late = server.InferRowAsync("slow", "\"timeout\":100000", "expired");
        await server.UntilModelAsync("slow", "active_runs", 1);
        var expired = await TestServer.ThroughAsync(time, late, stepMs: 1);

        // The run would have taken a minute more.
        expired.Is(503, "deadline_exceeded", "Request timeout expired", "model slow");
        var record = await server.RecordAsync("expired");
        Assert.InRange(record.GetProperty("total_ms").GetDouble(), 100, 50_000);
        Assert.Contains("expired_in_run", MetadataTests.Decisions(record));
        Assert.Contains("stopped", Sentence(record, "expired_in_run"), StringComparison.Ordinal);
        await server.UntilModelAsync("slow", "active_runs", 0);
    }

    [Fact]
    public async Task A_run_goes_on_as_long_as_one_of_its_requests_is_waited_for()
    {
        // The second has all the time that it needs to come into the batch of the first.
        await using var server = await TestServer.StartOnAsync(
            new ManualTimeProvider(),
            TestServer.Folder("", ("pair", TestServer.Simulated(
                "{ 1: 60000, 2: 60001 }", more: "batching: { batchRowsMax: 2, batchWaitMs: 10000 }"))));
        using var leave = new CancellationTokenSource();
        using var leaveLater = new CancellationTokenSource();
        var leaves = server.InferRowAsync("pair", id: "leaves", cancellation: leave.Token);
        var stays = server.InferRowAsync("pair", id: "stays", cancellation: leaveLater.Token);
        await server.UntilModelAsync("pair", "active_runs", 1);

        await LeaveAsync(leave, leaves);
        var left = await server.RecordAsync("leaves");
        Assert.Equal(2, left.GetProperty("batch").GetProperty("requests").GetInt32());
        Assert.Contains("the run went on for the others", Sentence(left, "cancelled_in_run"), StringComparison.Ordinal);
        Assert.Equal(1, (await server.ModelAsync("pair")).GetProperty("active_runs").GetInt32());

        await LeaveAsync(leaveLater, stays);
        Assert.Contains("the run was stopped", Sentence(await server.RecordAsync("stays"), "cancelled_in_run"), StringComparison.Ordinal);
        await server.UntilModelAsync("pair", "active_runs", 0);
    }

    [Fact]
    public async Task A_client_that_leaves_during_its_run_stops_the_run()
    {
        await using var server = await TestServer.StartSlowAsync();
        using var connection = await RawConnection.OpenAsync(server.Address);
        var body = TestServer.Row();
        await connection.SendAsync(RawConnection.InferHead("slow", $"X-Request-Id: left\r\nContent-Length: {body.Length}\r\n") + body);
        await server.UntilModelAsync("slow", "active_runs", 1);

        connection.Reset();

        var record = await server.RecordAsync("left");
        Assert.Equal("cancelled", record.GetProperty("outcome").GetString());
        Assert.Contains("stopped", Sentence(record, "cancelled_in_run"), StringComparison.Ordinal);
        await server.UntilModelAsync("slow", "active_runs", 0);
        Assert.Equal("left", (await server.GetAsync("/admin/v1/requests?outcome=cancelled")).Json.GetProperty("requests")[0].GetProperty("id").GetString());
        Assert.Empty(record.GetProperty("bill").EnumerateArray());
    }

    [Fact]
    public async Task A_client_that_leaves_the_queue_gives_its_room_back()
    {
        await using var server = await TestServer.StartSlowAsync(", queueLengthMax: 1");
        using var leave = new CancellationTokenSource();
        var running = server.InferRowAsync("slow", cancellation: leave.Token);
        await server.UntilModelAsync("slow", "active_runs", 1);
        using var impatient = new CancellationTokenSource();
        var waiting = server.InferRowAsync("slow", id: "waiting", cancellation: impatient.Token);
        await server.UntilModelAsync("slow", "queue_length", 1);

        await impatient.CancelAsync();

        await server.UntilModelAsync("slow", "queue_length", 0);
        Assert.Equal("cancelled_in_queue", MetadataTests.Decisions(await server.RecordAsync("waiting")).Last());
        Assert.Equal(1, (await server.ModelAsync("slow")).GetProperty("active_runs").GetInt32());
        await LeaveAsync(leave, running, waiting);
    }

    [Fact]
    public async Task A_client_that_leaves_inside_a_large_answer_is_recorded_and_the_server_goes_on()
    {
        // 64 MB of answer: more than any socket buffer takes while nobody reads.
        await using var server = await TestServer.StartAsync(TestServer.Folder(
            "", ("big", TestServer.Simulated(outputs: "y: \"FP32 [-1,16000000]\"", more: "deadline: { fixedMs: 60000 }")), ("echo", TestServer.Simulated())));
        using var connection = await RawConnection.OpenAsync(server.Address);
        var body = TestServer.Row("\"binary_data_output\":true");
        await connection.SendAsync(RawConnection.InferHead("big", $"X-Request-Id: big\r\nContent-Length: {body.Length}\r\n") + body);
        Assert.StartsWith("HTTP/1.1 200", await connection.ReadUntilAsync("\r\n\r\n"), StringComparison.Ordinal);

        connection.Reset();

        var record = await server.RecordAsync("big");
        Assert.Equal("cancelled", record.GetProperty("outcome").GetString());
        Assert.Equal(0, record.GetProperty("bytes_out").GetInt64());
        await server.AssertAliveAsync();
    }

    [Fact]
    public async Task The_more_urgent_request_runs_first_and_among_equals_the_earlier_deadline()
    {
        // Two rows hold the runner for a minute, one row takes 50 ms: the records tell who ran when.
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartOnAsync(
            time, TestServer.Folder("", ("slow", TestServer.Simulated(
                "{ 1: 50, 2: 60000 }", more: "batching: { batchRowsMax: 2, priorityAgeingMs: 3600000 }"))));
        using var leave = new CancellationTokenSource();
        var holding = server.InferAsync(
            "slow", Encoding.UTF8.GetBytes(TestServer.Row().Replace("[1,4]", "[2,4]", StringComparison.Ordinal)
                .Replace("[1,2,3,4]", "[1,2,3,4,5,6,7,8]", StringComparison.Ordinal)), [], leave.Token);
        await server.UntilModelAsync("slow", "active_runs", 1);
        (string Id, string Parameters)[] queue =
        [
            ("low", "\"priority\":3,\"timeout\":500000000"), ("middle-late", "\"timeout\":590000000"),
            ("middle-early", "\"timeout\":580000000"), ("urgent", "\"priority\":1,\"timeout\":600000000"),
        ];
        List<Task<Reply>> waiting = [];
        foreach (var (id, parameters) in queue)
        {
            waiting.Add(server.InferRowAsync("slow", parameters, id));
            await server.UntilModelAsync("slow", "queue_length", waiting.Count);
        }

        await LeaveAsync(leave, holding);

        Assert.All(
            await TestServer.ThroughAsync(time, Task.WhenAll(waiting), stepMs: 5), r => Assert.Equal(200, r.Status));
        List<(string Id, DateTimeOffset At)> began = [];
        foreach (var (id, _) in queue)
            began.Add((id, RunBegan(await server.RecordAsync(id))));
        Assert.Equal(["urgent", "middle-early", "middle-late", "low"], began.OrderBy(b => b.At).Select(b => b.Id));
    }

    [Fact]
    public async Task Every_accepted_request_of_a_flood_is_answered_or_refused_in_words()
    {
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartOnAsync(
            time, TestServer.Folder("", ("echo", TestServer.Simulated(
                "{ 1: 5, 2: 6 }", more: "batching: { queueLengthMax: 8, batchRowsMax: 2 }"))));
        var asked = Enumerable.Range(0, 200).Select(i => server.InferAsync(
            "echo", Encoding.UTF8.GetBytes(TestServer.Row().Replace(
                "[1,2,3,4]", $"[{i},0,0,{i}]", StringComparison.Ordinal)), [])).ToList();
        // While the clock stands still nothing is answered, so whoever is back was refused.
        await TestServer.UntilAsync(() => asked.Exists(a => a.IsCompleted));
        var replies = await TestServer.ThroughAsync(time, Task.WhenAll(asked), stepMs: 1);
        for (var i = 0; i < replies.Length; i++)
        {
            if (replies[i].Status == 200)
                Assert.Equal([i, 0, 0, i], replies[i].Numbers("y"));
            else
                replies[i].Is(503, replies[i].Header("X-Spillway-Fault")!);
        }

        Assert.Contains(replies, r => r.Status == 200);
        Assert.Contains(replies, r => r.Header("X-Spillway-Fault") is "queue_full" or "predicted_late");
        await TestServer.UntilAsync(async () => (await server.GetAsync("/admin/v1/requests?limit=1000")).Json.GetProperty("requests").GetArrayLength() == 200);
        await TestServer.UntilAsync(() => server.Serving.InFlight == 0);
    }

    /// <summary>When a request left the queue: its start and its stages up to there.</summary>
    private static DateTimeOffset RunBegan(System.Text.Json.JsonElement record) => record.GetProperty("started").GetDateTimeOffset()
        + TimeSpan.FromMilliseconds(record.GetProperty("stages").EnumerateArray().Take((int)Stage.Queue + 1).Sum(s => s.GetProperty("ms").GetDouble()));

    private static string Sentence(System.Text.Json.JsonElement record, string decision) => record.GetProperty("decisions").EnumerateArray()
        .Single(d => d.GetProperty("kind").GetString() == decision).GetProperty("text").GetString()!;

    private static async Task LeaveAsync(CancellationTokenSource leave, params Task[] all)
    {
        await leave.CancelAsync();
        foreach (var task in all)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
    }
}

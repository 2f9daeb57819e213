using Microsoft.Extensions.DependencyInjection;
using Spillway.Client;
using Spillway.Hosting;
using Spillway.Tests.Hosting;
using Spillway.Tests.Server;

namespace Spillway.Tests.Client;

/// <summary>Both clients promise the same, so both meet the same tests.</summary>
public sealed class ClientTests : IAsyncLifetime
{
    private static readonly InferenceInput[] s_row = [InferenceInput.Of<float>("x", [1, 4], [1, 2, 3, 4])];

    private EmbeddedApp _app = null!;

    public async Task InitializeAsync()
    {
        _app = await EmbeddedApp.StartAsync(o =>
        {
            o.Models.Add(EmbeddedApp.Model("echo") with { Version = 3 });
            o.Models.Add(EmbeddedApp.Model("slow", latencyMs: 60_000) with
            {
                Batching = new() { QueueLengthMax = 1, BatchRowsMax = 1 },
            });
            o.Models.Add(EmbeddedApp.Model("words", input: "BYTES [-1]", output: "BYTES [-1]"));
            o.Models.Add(EmbeddedApp.Model("broken", faultRate: 1));
            o.Models.Add(EmbeddedApp.Model("whole", input: "INT64 [-1,2]", output: "INT64 [-1,2]"));
        });
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tensors_go_in_and_come_out_with_all_that_names_the_answer(bool overHttp)
    {
        var reply = await Client(overHttp).InferAsync(new()
        {
            Model = "echo", Version = "3",
            Inputs = [InferenceInput.Of<float>("x", [2, 4], [1, 2, 3, 4, 5, 6, 7, float.NaN])],
            Outputs = ["y"], Id = "é-1", Priority = 1, Deadline = TimeSpan.FromMinutes(1),
        });

        Assert.Equal(("echo", "3", "é-1", true), (reply.Model, reply.Version, reply.Id, reply.IsSimulated));
        Assert.NotEmpty(reply.RequestId);
        var y = Assert.Single(reply.Outputs);
        Assert.Equal((DataType.Float32, new Shape([2, 4])), (y.Type, y.Shape));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, float.NaN], y.As<float>());
        Assert.Contains("not INT32", Assert.Throws<InvalidOperationException>(() => y.As<int>()).Message);
        Assert.Contains("It has: y", Assert.Throws<KeyNotFoundException>(() => reply["z"]).Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Texts_and_whole_numbers_go_in_and_come_out(bool overHttp)
    {
        var words = await Client(overHttp).InferAsync("words", [InferenceInput.Strings("x", [2], "", "grüße 🌊")]);
        Assert.Equal(2, words["y"].AsStrings().Length);
        Assert.Throws<InvalidOperationException>(() => words["y"].As<byte>());

        var whole = await Client(overHttp).InferAsync(
            "whole", [InferenceInput.Of<long>("x", [1, 2], [long.MinValue, long.MaxValue])]);
        Assert.Equal([long.MinValue, long.MaxValue], whole["y"].As<long>());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_sequence_is_for_models_with_state_and_a_deadline_may_be_without_end(bool overHttp)
    {
        var call = new InferenceCall { Model = "echo", Inputs = s_row, Sequence = new(new(7), Start: true, End: false) };
        var refused = await Assert.ThrowsAsync<InferenceException>(() => Client(overHttp).InferAsync(call));
        Assert.Equal(FaultKind.Unsupported, refused.Fault.Kind);

        var reply = await Client(overHttp).InferAsync(call with { Sequence = null, Deadline = TimeSpan.MaxValue });
        Assert.Equal([1, 2, 3, 4], reply["y"].As<float>());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_at_once_is_a_stream_of_one(bool overHttp)
    {
        var parts = new List<InferenceReply>();
        await foreach (var part in Client(overHttp).StreamAsync(new() { Model = "echo", Inputs = s_row }))
            parts.Add(part);
        Assert.Equal([1, 2, 3, 4], Assert.Single(parts)["y"].As<float>());
    }

    [Theory]
    [InlineData(false, "echo", "", "y", "q", FaultKind.InvalidInput, "unexpected inference input 'q'")]
    [InlineData(true, "echo", "", "y", "q", FaultKind.InvalidInput, "unexpected inference input 'q'")]
    [InlineData(false, "echo", "", "z", "x", FaultKind.InvalidInput, "unexpected inference output 'z'")]
    [InlineData(true, "echo", "", "z", "x", FaultKind.InvalidInput, "unexpected inference output 'z'")]
    [InlineData(false, "no such", "", "y", "x", FaultKind.UnknownModel, "'no such' is not found")]
    [InlineData(true, "no such", "", "y", "x", FaultKind.UnknownModel, "'no such' is not found")]
    [InlineData(false, "echo", "4", "y", "x", FaultKind.UnknownModel, "version 4")]
    [InlineData(true, "echo", "4", "y", "x", FaultKind.UnknownModel, "version 4")]
    [InlineData(false, "whole", "", "y", "x", FaultKind.InvalidInput, "data-type is 'FP32'")]
    [InlineData(true, "whole", "", "y", "x", FaultKind.InvalidInput, "data-type is 'FP32'")]
    [InlineData(false, "broken", "", "y", "x", FaultKind.RuntimeFailed, "")]
    [InlineData(true, "broken", "", "y", "x", FaultKind.RuntimeFailed, "")]
    public async Task Refusals_say_the_same_in_process_and_over_HTTP(
        bool overHttp, string model, string version, string output, string input, FaultKind kind, string says)
    {
        var refused = await Assert.ThrowsAsync<InferenceException>(() => Client(overHttp).InferAsync(new()
        {
            Model = model, Version = version, Outputs = [output],
            Inputs = [InferenceInput.Of<float>(input, [1, 4], [1, 2, 3, 4])],
        }));

        Assert.Equal(kind, refused.Kind);
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.Null(refused.RetryAfter);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_full_queue_says_when_to_come_again_and_a_caller_who_leaves_frees_its_place(bool overHttp)
    {
        var client = Client(overHttp);
        using var leave = new CancellationTokenSource();
        var call = new InferenceCall { Model = "slow", Inputs = s_row, Deadline = TimeSpan.FromMinutes(10) };
        var running = client.InferAsync(call, leave.Token);
        await UntilAsync("active_runs", 1);
        var queued = client.InferAsync(call, leave.Token);
        await UntilAsync("queue_length", 1);

        var refused = await Assert.ThrowsAsync<InferenceException>(() => client.InferAsync(call));
        Assert.Equal(FaultKind.QueueFull, refused.Kind);
        Assert.True(refused.RetryAfter > TimeSpan.Zero);

        await leave.CancelAsync();
        var left = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(leave.Token, left.CancellationToken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);
        await UntilAsync("queue_length", 0);
        await UntilAsync("active_runs", 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_deadline_that_cannot_be_met_is_refused(bool overHttp)
    {
        var refused = await Assert.ThrowsAsync<InferenceException>(() => Client(overHttp).InferAsync(new()
        {
            Model = "slow", Inputs = s_row, Deadline = TimeSpan.FromMilliseconds(20),
        }));

        Assert.True(refused.Kind is FaultKind.PredictedLate or FaultKind.DroppedLate or FaultKind.DeadlineExceeded);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_an_exception_of_HTTP()
    {
        var services = new ServiceCollection();
        services.AddSpillwayClient(new Uri("http://127.0.0.1:1/ai"));
        services.AddSpillwayClient("other", new Uri(_app.Http.BaseAddress!, "/"));
        await using var provider = services.BuildServiceProvider();

        await Assert.ThrowsAsync<HttpRequestException>(
            () => provider.GetRequiredService<IInferenceClient>().InferAsync("echo", s_row));
        var other = provider.GetRequiredKeyedService<IInferenceClient>("other");
        var reply = await other.InferAsync("echo", s_row);
        Assert.Equal([1, 2, 3, 4], reply["y"].As<float>());
    }

    private IInferenceClient Client(bool overHttp) => overHttp ? new HttpInferenceClient(_app.Http) : _app.Client;

    private Task UntilAsync(string figure, int value) => TestServer.UntilAsync(async () =>
        System.Text.Json.JsonElement.Parse(await _app.Http.GetStringAsync("/admin/v1/models")).GetProperty("models")
            .EnumerateArray().Single(m => m.GetProperty("name").GetString() == "slow")
            .GetProperty(figure).GetInt32() == value);
}

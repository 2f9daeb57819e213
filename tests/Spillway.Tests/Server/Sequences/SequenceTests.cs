using Spillway.Shared;
using Spillway.Tests.Protocols.Grpc;

namespace Spillway.Tests.Server.Sequences;

/// <summary>Sequences over the wire, with a real ONNX model whose state the server keeps.</summary>
public sealed class SequenceTests
{
    [Fact]
    public async Task The_typed_client_carries_a_sequence()
    {
        await using var server = await SequenceServer.StartAsync();
        var client = new Spillway.Client.HttpInferenceClient(server.Server.Http);
        var sums = new List<float>();
        foreach (var (x, start, end) in new[] { (1f, true, false), (2f, false, false), (3f, false, true) })
        {
            var reply = await client.InferAsync(new()
            {
                Model = "sum", Inputs = [Spillway.Client.InferenceInput.Of<float>("x", [1, 1], [x])],
                Sequence = new(new("talk"), start, end),
            });
            sums.Add(reply["y"].As<float>()[0]);
        }

        Assert.Equal([1, 3, 6], sums);
    }

    [Fact]
    public async Task A_sequence_adds_up_from_its_start_to_its_end_and_others_do_not_mix_in()
    {
        await using var server = await SequenceServer.StartAsync();
        var metadata = (await server.Server.GetAsync("/v2/models/sum")).Json;
        foreach (var (side, name) in ((string, string)[])[("inputs", "x"), ("outputs", "y")])
        {
            Assert.Equal($$"""[{"name":"{{name}}","datatype":"FP32","shape":[-1,1]}]""",
                metadata.GetProperty(side).GetRawText());
        }

        await server.SumAsync(7, 1, 1, "start");
        await server.SumAsync("7", 100, 100, "start");
        await server.SumAsync(7, 2, 3);
        await server.SumAsync("7", 200, 300);
        Assert.Equal(2, await server.FigureAsync("spillway_sequences{"));
        await server.SumAsync(7, 3, 6, "end");
        await server.SumAsync("7", 300, 600, "end");
        Assert.Equal(0, await server.FigureAsync("spillway_sequences{"));
        await server.SumAsync(7, 5, 5, "start end");
        (await server.AskAsync(7, 1)).Is(400, "invalid_input", "START flag", "has ended");
    }

    [Fact]
    public async Task Requests_that_break_the_rules_are_refused_and_counted()
    {
        await using var server = await SequenceServer.StartAsync(SequenceServer.Yaml("sequencesMax: 1"));
        (await server.AskAsync(0, 1, "start")).Is(400, "invalid_input", "non-zero or non-empty correlation ID");
        (await server.AskAsync(3, 1, name: "no-start")).Is(400, "invalid_input", "START flag", "never began");
        await server.SumAsync(3, 1, 1, "start");
        (await server.AskAsync(3, 1, "start")).Is(400, "invalid_input", "conflict");
        (await server.AskAsync(4, 1, "start")).Is(503, "queue_full", "maximum number of sequences", "sequencesMax");
        await server.SumAsync(3, 4, 5);
        Assert.Equal(4, await server.FigureAsync("spillway_sequences_refused_total"));
        var decisions = MetadataTests.Decisions(await server.Server.RecordAsync("no-start"));
        Assert.Contains("refused_sequence", decisions);
        (await server.Server.InferAsync("sum", """
            {"parameters":{"sequence_id":3},"inputs":[{"name":"x","shape":[2,1],"datatype":"FP32","data":[1,2]}]}
            """)).Is(400, "invalid_input", "brings one row");
    }

    [Fact]
    public async Task An_idle_sequence_expires_and_its_state_with_it()
    {
        await using var server = await SequenceServer.StartAsync();
        await server.SumAsync(1, 1, 1, "start");
        server.Time.Advance(TimeSpan.FromMilliseconds(900));
        await server.SumAsync(1, 2, 3);
        server.Time.Advance(TimeSpan.FromMilliseconds(1100));
        Assert.Equal(0, await server.FigureAsync("spillway_sequences{"));
        Assert.Equal(1, await server.FigureAsync("spillway_sequences_expired_total"));
        (await server.AskAsync(1, 1)).Is(400, "invalid_input", "idle for more than 1000 ms", "idleMs");
        await server.SumAsync(1, 5, 5, "start");
    }

    [Fact]
    public async Task Requests_of_one_sequence_at_once_run_one_after_the_other()
    {
        await using var server = await SequenceServer.StartAsync(SequenceServer.Yaml("waitingMax: 2"));
        server.Shut();
        var first = server.AskAsync(1, 1, "start");
        await server.InsideAsync();
        var second = server.AskAsync(1, 10, name: "second");
        await server.Server.UntilModelAsync("sum", "queue_length", 1);
        var third = server.AskAsync(1, 100);
        await server.Server.UntilModelAsync("sum", "queue_length", 2);
        server.Open();
        Assert.Equal(1.0, Assert.Single((await first).Numbers("y")));
        double[] sums = [(await second).Numbers("y")[0], (await third).Numbers("y")[0]];
        Assert.True(sums is [11, 111] or [111, 101], string.Join(", ", sums));
        await server.SumAsync(1, 1000, 1111, "end");
        Assert.Contains("in_sequence", MetadataTests.Decisions(await server.Server.RecordAsync("second")));
    }

    [Fact]
    public async Task More_requests_of_one_sequence_than_may_wait_are_refused()
    {
        await using var server = await SequenceServer.StartAsync(SequenceServer.Yaml("waitingMax: 0"));
        server.Shut();
        var first = server.AskAsync(1, 1, "start");
        await server.InsideAsync();
        (await server.AskAsync(1, 10)).Is(503, "queue_full", "requests of sequence 1 wait", "waitingMax");
        server.Open();
        Assert.Equal(200, (await first).Status);
        await server.SumAsync(1, 2, 3);
    }

    [Fact]
    public async Task A_request_that_is_late_in_its_run_leaves_the_state_as_it_was()
    {
        await using var server = await SequenceServer.StartAsync(SequenceServer.Yaml("idleMs: 60000"));
        await server.SumAsync(1, 1, 1, "start");
        server.Shut();
        var late = server.AskAsync(1, 10, timeout: 1_000_000);
        await server.InsideAsync();
        server.Time.Advance(TimeSpan.FromSeconds(2));
        server.Open();
        (await late).Is(503, "deadline_exceeded");
        await server.SumAsync(1, 2, 3);
    }

    [Fact]
    public async Task A_request_that_leaves_or_is_late_while_it_waits_leaves_the_state_as_it_was()
    {
        await using var server = await SequenceServer.StartAsync(SequenceServer.Yaml("idleMs: 60000"));
        server.Shut();
        var first = server.AskAsync(1, 1, "start");
        await server.InsideAsync();
        using var leaving = new CancellationTokenSource();
        var second = server.AskAsync(1, 10, cancellation: leaving.Token);
        var third = server.AskAsync(1, 100, timeout: 1_000_000);
        await server.Server.UntilModelAsync("sum", "queue_length", 2);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await server.Server.UntilModelAsync("sum", "queue_length", 1);
        server.Time.Advance(TimeSpan.FromSeconds(2));
        // A timer that is set when it is due already fires with the next step.
        await TestServer.UntilAsync(() =>
        {
            server.Time.Advance(TimeSpan.FromTicks(1));
            return Task.FromResult(third.IsCompleted);
        });
        (await third).Is(503, "deadline_exceeded");
        server.Open();
        Assert.Equal(1.0, Assert.Single((await first).Numbers("y")));
        await server.SumAsync(1, 2, 3);
    }

    [Fact]
    public async Task Over_gRPC_a_sequence_is_the_same_with_numbers_and_texts_as_ids()
    {
        await using var server = await SequenceServer.StartAsync();
        Assert.Equal(Proto.Floats(1), await GrpcAsync(server, Proto.Whole(2, 9), 1, "start"));
        Assert.Equal(Proto.Floats(5), await GrpcAsync(server, Proto.Text(3, "nine"), 5, "start"));
        await server.SumAsync(9, 2, 3);
        Assert.Equal(Proto.Floats(6), await GrpcAsync(server, Proto.Whole(5, 9), 3, "end"));
        await server.SumAsync("nine", 5, 10);
        (await server.Grpc.InferAsync(Message(Proto.Whole(2, 9), 1))).Is(3, "START flag");
        (await server.Grpc.InferAsync(Message(Proto.Text(3, new('x', 129)), 1))).Is(3, "sequence_id", "128");
        (await server.Grpc.InferAsync(Message(Proto.Whole(2, -1), 1))).Is(3, "sequence_id");
    }

    [Fact]
    public async Task A_model_is_told_where_it_is_in_the_sequence_when_it_asks()
    {
        var yaml = SequenceServer.Yaml("controls: { start: first, id: id }");
        await using var server = await SequenceServer.StartAsync(yaml, OnnxModels.Sum(flags: true));
        await server.SumAsync(4, 1, 41001, "start");
        await server.SumAsync(4, 2, 40003);
    }

    [Fact]
    public async Task A_state_whose_rows_are_not_its_first_dimension_is_kept_in_its_declared_shape()
    {
        var yaml = SequenceServer.Yaml(state: "- { input: s, output: next, shape: [2, 1, 1] }");
        await using var server = await SequenceServer.StartAsync(yaml, OnnxModels.Layers());
        Assert.Equal("1, 1", string.Join(", ", (await server.AskAsync(4, 1, "start")).Numbers("y")));
        Assert.Equal("3, 3", string.Join(", ", (await server.AskAsync(4, 2)).Numbers("y")));
    }

    [Theory]
    [InlineData("- { input: z, output: next }", "sequences.state[0].input: names 'z'")]
    [InlineData("- { input: s, output: z }", "sequences.state[0].output: names 'z'")]
    [InlineData("- { input: s, output: next, shape: [1, 2] }", "sequences.state[0].shape: is [1,2]")]
    [InlineData("- { input: s, output: next }\n    - { input: s, output: y }", "twice")]
    public async Task A_declaration_that_does_not_fit_the_model_fails_that_model_with_the_key(string state, string says)
    {
        await using var server = await SequenceServer.StartAsync(SequenceServer.Yaml(state: state));
        (await server.AskAsync(1, 1)).Is(503, "model_not_ready", says);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Many_sequences_at_once_each_add_up_to_their_own_sum_of_seed(int seed)
    {
        await using var server = await SequenceServer.StartAsync();
        await Task.WhenAll(Enumerable.Range(1, 8).Select(async id =>
        {
            var random = new Random((seed * 100) + id);
            double? sum = null;
            for (var i = 0; i < 40; i++)
            {
                var (x, start, end) = (random.Next(100), random.Next(4) == 0, random.Next(5) == 0);
                var flags = (start ? "start " : "") + (end ? "end" : "");
                if (sum is null == start)
                {
                    await server.SumAsync(id, x, (sum ?? 0) + x, flags);
                    sum = end ? null : (sum ?? 0) + x;
                }
                else
                {
                    (await server.AskAsync(id, x, flags)).Is(400, "invalid_input", start ? "conflict" : "START flag");
                }
            }
        }));
        Assert.InRange(await server.FigureAsync("spillway_sequences{"), 0, 8);
    }

    private static async Task<byte[]> GrpcAsync(SequenceServer server, byte[] id, float x, string flag) =>
        Proto.Field((await server.Grpc.InferAsync(Message(
            id, x, Proto.Parameter($"sequence_{flag}", Proto.Whole(1, 1))))).Message, 6);

    private static byte[] Message(byte[] id, float x, params byte[][] more) => Proto.Message([
        Proto.Text(1, "sum"), Proto.Input("x", "FP32", [1, 1]), Proto.Bytes(7, Proto.Floats(x)),
        Proto.Parameter("sequence_id", id), .. more]);
}

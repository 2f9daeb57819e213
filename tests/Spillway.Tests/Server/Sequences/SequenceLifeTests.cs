using System.Text;
using Spillway.Flow;
using Spillway.Shared;
using Spillway.Tests.Server.Access;

namespace Spillway.Tests.Server.Sequences;

/// <summary>
/// What becomes of sequences when their model or their server goes, and how much memory they may take.
/// </summary>
public sealed class SequenceLifeTests
{
    [Fact]
    public async Task A_model_that_is_loaded_anew_has_no_sequences_and_says_so()
    {
        await using var server = await SequenceServer.StartAsync();
        var models = server.Server.Serving.Models;
        await server.SumAsync(7, 1, 1, "start");
        Assert.Null(await models.LoadAsync(server.Server.Snapshot.Models[0]));
        (await server.AskAsync(7, 2)).Is(400, "invalid_input", "START flag", "the model was loaded anew");
        await server.SumAsync(7, 5, 5, "start");
        await server.SumAsync(7, 2, 7);
        Assert.Equal(1, await server.FigureAsync("spillway_sequences{"));
    }

    [Fact]
    public async Task What_runs_and_what_waits_in_a_sequence_is_answered_from_its_state_while_its_model_is_loaded_anew()
    {
        await using var server = await SequenceServer.StartAsync();
        await server.SumAsync(7, 1, 1, "start");
        server.Shut();
        var runs = server.AskAsync(7, 2);
        await server.InsideAsync();
        var waits = server.AskAsync(7, 3);
        await server.Server.UntilModelAsync("sum", "queue_length", 1);
        Assert.Null(await server.Server.Serving.Models.LoadAsync(server.Server.Snapshot.Models[0]));
        server.Open();
        Answers(3, await runs);
        Answers(6, await waits);
        (await server.AskAsync(7, 4)).Is(400, "invalid_input", "START flag");
    }

    [Fact]
    public async Task A_model_that_was_unloaded_and_is_loaded_again_begins_without_sequences()
    {
        await using var server = await SequenceServer.StartAsync();
        var (models, options) = (server.Server.Serving.Models, server.Server.Snapshot.Models[0]);
        await server.SumAsync("talk", 1, 1, "start");
        await models.UnloadAsync(options, RouteState.Unloaded);
        Assert.NotEqual(200, (await server.AskAsync("talk", 2)).Status);
        Assert.Null(await models.LoadAsync(options));
        (await server.AskAsync("talk", 2)).Is(400, "invalid_input", "START flag");
        await server.SumAsync("talk", 2, 2, "start end");
    }

    [Fact]
    public async Task A_server_that_was_started_again_knows_no_sequence_of_the_one_before()
    {
        using var folder = TestServer.Folder("", ("sum", SequenceServer.Yaml()));
        await File.WriteAllBytesAsync(folder.PathOf("sum/model.onnx"), OnnxModels.Sum());
        await using (var first = await TestServer.StartAsync(folder.PathOf("spillway.yaml")))
            Answers(1, await AskAsync(first, 1, ",\"sequence_start\":true"));

        await using var second = await TestServer.StartAsync(folder.PathOf("spillway.yaml"));
        (await AskAsync(second, 2)).Is(400, "invalid_input", "START flag", "No sequence of that id lives");
        Answers(2, await AskAsync(second, 2, ",\"sequence_start\":true"));
    }

    /// <summary>A state of 4 KiB, of which 512 may live: 2 MiB.</summary>
    [Theory]
    [InlineData("memoryMaxMb: 1", "sequences.memoryMaxMb: 512 sequences of 4,096 bytes need 2 MiB; 1 are allowed")]
    [InlineData("memoryMaxMb: 1, sequencesMax: 256", "")]
    [InlineData("memoryMaxMb: 2", "")]
    [InlineData("memoryMaxMb: 2, sequencesMax: 513", "need 3 MiB; 2 are allowed")]
    public async Task A_model_whose_states_could_need_more_memory_than_is_declared_is_not_served(
        string more, string says)
    {
        using var folder = TestServer.Folder("", ("sum", $$"""
            runtime: simulated
            simulated:
              inputs: { x: "FP32 [-1,4]", s: "FP32 [-1,1024]" }
              outputs: { y: "FP32 [-1,4]", next: "FP32 [-1,1024]" }
              latencyMs: { 1: 0.05 }
            deadline: { floorMs: 60000 }
            sequences: { {{more}}, state: [{ input: s, output: next }] }
            """));
        await using var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml"));
        var reply = await server.InferAsync("sum", Encoding.UTF8.GetBytes("""
            {"parameters":{"sequence_id":1,"sequence_start":true},
             "inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}
            """), []);
        if (says.Length == 0)
            Assert.True(reply.Status == 200, reply.Text);
        else
            reply.Is(503, "model_not_ready", says);
    }

    private static void Answers(double sum, Reply reply)
    {
        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal(sum, Assert.Single(reply.Numbers("y")));
    }

    private static Task<Reply> AskAsync(TestServer server, int x, string more = "") => server.InferAsync(
        "sum", Encoding.UTF8.GetBytes($$$"""
            {"parameters":{"sequence_id":7{{{more}}}},
             "inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[{{{x}}}]}]}
            """), []);

    [Fact]
    public async Task Tenants_have_states_of_their_own_under_one_id()
    {
        var folder = TestServer.Folder("", ("sum", SequenceServer.Yaml("idleMs: 600000")));
        await File.WriteAllBytesAsync(folder.PathOf("sum/model.onnx"), OnnxModels.Sum());
        await File.AppendAllTextAsync(folder.PathOf("spillway.yaml"), "access: { keys: required }\n");
        await using var server = await KeyedServer.StartAsync(folder);
        var (a, _) = await server.KeyAsync("""{"tenant":"a"}""");
        var (b, _) = await server.KeyAsync("""{"tenant":"b"}""");
        var (other, _) = await server.KeyAsync("""{"tenant":"a"}""");
        Answers(1, await AskAsync(a, 1, "start"));
        (await AskAsync(b, 5)).Is(400, "invalid_input", "START flag");
        Answers(5, await AskAsync(b, 5, "start"));
        Answers(3, await AskAsync(a, 2));
        Answers(11, await AskAsync(b, 6, "end"));
        // A tenant's second key goes on with what its first began.
        Answers(6, await AskAsync(other, 3, "end"));

        Task<Reply> AskAsync(string key, double x, string flag = "") => server.SendAsync(
            "POST", "/v2/models/sum/infer", key, FormattableString.Invariant(
                $$$"""
                {"parameters":{"sequence_id":7{{{(flag.Length > 0 ? $",\"sequence_{flag}\":true" : "")}}}},
                "inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[{{{x}}}]}]}
                """));
    }
}

using Spillway.Engine;
using Spillway.Shared;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server;

/// <summary>Model files that cannot be loaded: the server starts, says which and why, and serves the others. Real ONNX models.</summary>
public sealed class LoadFaultTests
{
    private const string Onnx = "runtime: onnx\ndeadline: { floorMs: 600000 }\n";

    [Fact]
    public async Task Corrupt_truncated_and_empty_model_files_leave_the_others_serving()
    {
        var folder = TestServer.Folder("", ("good", Onnx), ("corrupt", Onnx), ("truncated", Onnx), ("empty", Onnx));
        var model = OnnxModels.Tiny();
        Write("good", model);
        Write("corrupt", [.. Enumerable.Repeat((byte)0xA5, 4096)]);
        Write("truncated", model[..(model.Length / 2)]);
        Write("empty", []);
        await using var server = await TestServer.StartAsync(folder);

        foreach (var name in new[] { "corrupt", "truncated", "empty" })
        {
            var refused = await server.InferAsync(name, "{}");
            refused.Is(503, "model_not_ready", $"Model {name} version 1 is not ready", $"failed to load '{name}'");
            Assert.True(refused.Error.Length > $"Model {name} version 1 is not ready: failed to load '{name}', ".Length + 10, refused.Error);
            (await server.GetAsync($"/v2/models/{name}")).Is(503, "model_not_ready", "failed to load");
            var listed = (await server.GetAsync("/v2/models")).Json.GetProperty("models").EnumerateArray()
                .Single(m => m.GetProperty("name").GetString() == name);
            Assert.Equal("UNAVAILABLE", listed.GetProperty("state").GetString());
            Assert.NotEqual("", listed.GetProperty("reason").GetString());
        }

        Assert.Equal(503, (await server.GetAsync("/v2/health/ready")).Status);
        Assert.Equal(200, (await server.GetAsync("/v2/models/good/ready")).Status);
        Assert.Equal(10, (await InferAsync(server)).Numbers("y").Length);

        void Write(string name, byte[] bytes) => File.WriteAllBytes(folder.PathOf($"{name}/model.onnx"), bytes);
    }

    [Fact]
    public async Task A_model_that_names_a_file_with_a_NUL_fails_alone_and_health_says_that_nothing_is_probed()
    {
        // Through the cache, which is what looks at such names.
        var folder = TestServer.Folder("", ("evil", Onnx), ("good", Onnx));
        var cache = folder.PathOf("cache");
        File.WriteAllBytes(folder.PathOf("evil/model.onnx"), OnnxModels.External("w\0.bin"));
        File.WriteAllBytes(folder.PathOf("good/model.onnx"), OnnxModels.Tiny());
        foreach (var name in new[] { "evil", "good" })
            folder.Write($"{name}/model.yaml", $"{Onnx}onnx: {{ cache: {cache} }}\n");
        await using var server = await TestServer.StartAsync(folder);

        (await server.InferAsync("evil", "{}")).Is(503, "model_not_ready", "outside its own folder");
        Assert.Equal(10, (await InferAsync(server)).Numbers("y").Length);
        // These tests are no program that probes.
        var health = (await server.GetAsync("/v2/health/ready")).Json;
        Assert.Contains("Canary loading is off", health.GetProperty("warning").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_file_that_goes_between_check_and_load_fails_that_model_only()
    {
        var folder = TestServer.Folder("", ("good", Onnx), ("gone", Onnx));
        File.WriteAllBytes(folder.PathOf("good/model.onnx"), OnnxModels.Tiny());
        File.WriteAllBytes(folder.PathOf("gone/model.onnx"), OnnxModels.Tiny());
        await using var server = await TestServer.StartAsync(folder, load: false);
        File.Delete(folder.PathOf("gone/model.onnx"));
        await server.LoadAsync();
        (await server.InferAsync("gone", "{}")).Is(503, "model_not_ready", "failed to load 'gone'", "model.onnx");
        Assert.Equal(10, (await InferAsync(server)).Numbers("y").Length);
    }

    [Fact]
    public async Task Triton_s_simple_adds_and_subtracts_and_its_inputs_may_come_in_any_order()
    {
        var folder = TestServer.Folder("", ("simple", Onnx));
        File.WriteAllBytes(folder.PathOf("simple/model.onnx"), OnnxModels.Simple());
        await using var server = await TestServer.StartAsync(folder);
        var (zero, one) = (string.Join(',', Enumerable.Range(0, 16)), string.Join(',', Enumerable.Repeat(1, 16)));
        var reply = await server.InferAsync("simple", $$"""
            {"inputs":[{"name":"INPUT1","shape":[1,16],"datatype":"INT32","data":[{{one}}]},
            {"name":"INPUT0","shape":[1,16],"datatype":"INT32","data":[{{zero}}]}]}
            """);
        Assert.Equal(Enumerable.Range(1, 16).Select(i => (double)i), reply.Numbers("OUTPUT0"));
        Assert.Equal(Enumerable.Range(-1, 16).Select(i => (double)i), reply.Numbers("OUTPUT1"));
        Assert.Equal("onnxruntime_onnx", (await server.GetAsync("/v2/models/simple")).Json.GetProperty("platform").GetString());
        (await server.InferAsync("simple", """{"inputs":[{"name":"INPUT0","shape":[1,16],"datatype":"INT32","data":[0]}]}""")).Is(400, "invalid_input");
    }

    [Fact]
    public async Task A_deadline_stops_a_native_run()
    {
        var folder = TestServer.Folder("", ("loop", Onnx));
        File.WriteAllBytes(folder.PathOf("loop/model.onnx"), OnnxModels.Loop());
        var time = new ManualTimeProvider();
        await using var server = await TestServer.StartAsync(folder, new Clock(time));

        // A thousand million turns of about a microsecond would take a quarter of an hour.
        var asked = server.InferAsync("loop", """
            {"parameters":{"timeout":200000},"inputs":[{"name":"n","shape":[],"datatype":"INT64","data":[1000000000]},
            {"name":"x","shape":[4],"datatype":"FP32","data":[1,2,3,4]}]}
            """);

        await server.UntilModelAsync("loop", "active_runs", 1);
        var reply = await TestServer.ThroughAsync(time, asked, stepMs: 10);
        reply.Is(503, "deadline_exceeded", "Request timeout expired");
        await server.UntilModelAsync("loop", "active_runs", 0);
        var after = await server.InferAsync("loop", """
            {"parameters":{"timeout":60000000},"inputs":[{"name":"n","shape":[],"datatype":"INT64","data":[2]},{"name":"x","shape":[4],"datatype":"FP32","data":[1,2,3,4]}]}
            """);
        Assert.True(after.Status == 200, after.Text);
        Assert.Equal([3, 4, 5, 6], after.Numbers("y"));
    }

    [Fact]
    public async Task A_run_that_the_model_itself_refuses_is_an_error_of_that_request_alone()
    {
        var folder = TestServer.Folder("", ("lookup", Onnx));
        File.WriteAllBytes(folder.PathOf("lookup/model.onnx"), OnnxModels.Lookup());
        await using var server = await TestServer.StartAsync(folder);
        string Ask(int i) => $$"""{"inputs":[{"name":"i","shape":[1,1],"datatype":"INT64","data":[{{i}}]}]}""";
        (await server.InferAsync("lookup", Ask(99))).Is(400, "invalid_input", "Model 'lookup' does not accept this input");
        var fine = await server.InferAsync("lookup", Ask(1));
        Assert.Equal([2, 3], fine.Numbers("y"));
    }

    private static Task<Reply> InferAsync(TestServer server) => server.InferAsync(
        "good", $$"""{"inputs":[{"name":"x","shape":[1,784],"datatype":"FP32","data":[{{string.Join(',', Enumerable.Repeat("0.5", 784))}}]}]}""");
}

using Spillway.Engine.Canary;
using Spillway.Runtimes.Onnx.Cache;
using Spillway.Tests.Config;
using Spillway.Tests.Runtimes.Onnx.Cache;
using Spillway.Shared;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server;

/// <summary>A folder of models with versions: what is in it is served, and what happens to it happens to the service.</summary>
public sealed class RepositoryTests
{
    [Fact]
    public async Task Every_model_of_the_folder_is_served_with_the_version_that_its_policy_chooses()
    {
        var folder = Repository("none").Model("a", 1, 2).Model("b", 7);
        folder.Write("models/a/model.yaml", "versions: { all: true }");
        await using var server = await TestServer.StartAsync(folder);

        Assert.Equal("2", await VersionAsync(server, "a"));
        Assert.Equal("1", await VersionAsync(server, "a/versions/1"));
        Assert.Equal("7", await VersionAsync(server, "b"));
    }

    [Fact]
    public async Task A_broken_model_does_not_hide_the_others()
    {
        var folder = Repository("none").Model("good", 1).Write("models/bad/1/model.onnx", "no model").Model("worse", 1);
        folder.Write("models/worse/config.pbtxt", "name: \"worse\"\nno_such_field: 1\n");
        await using var server = await TestServer.StartAsync(folder);

        Assert.Equal("1", await VersionAsync(server, "good"));
        (await server.InferAsync("bad", Row)).Is(503, "model_not_ready", "failed to load");
        Assert.Equal(404, (await server.InferAsync("worse", Row)).Status);
    }

    [Fact]
    public async Task A_new_version_takes_over_and_a_deleted_folder_ends()
    {
        var folder = Repository("poll").Model("m", 1).Model("gone", 1);
        await using var server = await TestServer.StartAsync(folder);
        Assert.Equal("1", await VersionAsync(server, "m"));

        folder.Model("m", 2);
        Directory.Delete(folder.PathOf("models/gone"), recursive: true);
        await server.Serving.Repository!.RefreshAsync();

        Assert.Equal("2", await VersionAsync(server, "m"));
        (await server.InferAsync("m/versions/1", Row)).Is(404, "unknown_model", "version 1 is not found");
        (await server.InferAsync("gone", Row)).Is(404, "unknown_model", "Request for unknown model: 'gone'");
    }

    [Fact]
    public async Task A_file_that_still_grows_is_not_loaded_and_what_serves_goes_on_until_it_has_settled()
    {
        var folder = Repository("poll").Model("m", 1);
        await using var server = await TestServer.StartAsync(folder);
        var repository = server.Serving.Repository!;
        var whole = OnnxModels.Identity(OnnxWriter.Float);
        string[] files = [folder.PathOf("models/m/2/model.onnx"), folder.PathOf("models/new/1/model.onnx")];
        foreach (var file in files)
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);

        for (var part = 1; part <= 3; part++)
        {
            foreach (var file in files)
                await File.WriteAllBytesAsync(file, whole[..(whole.Length * part / 3)]);
            await repository.LookAsync();
            Assert.Equal("1", await VersionAsync(server, "m"));
            Assert.Equal(404, (await server.InferAsync("new", Row)).Status);
        }

        await repository.LookAsync();
        Assert.Equal("2", await VersionAsync(server, "m"));
        Assert.Equal("1", await VersionAsync(server, "new"));
        // Nothing of it was tried before.
        Assert.DoesNotContain("spillway_model_load_failed{model=\"new\",version=\"1\"} 1",
            (await server.GetAsync("/metrics")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_moved_in_with_files_that_are_older_than_the_last_look_needs_no_second_look()
    {
        var folder = Repository("poll").Model("m", 1).Model("aside", 2);
        File.SetLastWriteTimeUtc(folder.PathOf("models/aside/2/model.onnx"), DateTime.UnixEpoch);
        Directory.Move(folder.PathOf("models/aside/2"), folder.PathOf("2"));
        await using var server = await TestServer.StartAsync(folder);

        Directory.Move(folder.PathOf("2"), folder.PathOf("models/m/2"));
        await server.Serving.Repository!.LookAsync();
        Assert.Equal("2", await VersionAsync(server, "m"));
    }

    [Fact]
    public async Task A_model_that_is_deleted_while_it_serves_serves_on_until_the_next_look()
    {
        var folder = Repository("poll").Model("m", 1);
        await using var server = await TestServer.StartAsync(folder);

        Directory.Delete(folder.PathOf("models/m"), recursive: true);

        Assert.Equal("1", await VersionAsync(server, "m"));
        await server.Serving.Repository!.RefreshAsync();
        Assert.Equal(404, (await server.InferAsync("m", Row)).Status);
    }

    [Fact]
    public async Task A_folder_that_is_renamed_keeps_the_name_that_it_serves()
    {
        var folder = Repository("poll").Model("a", 1);
        folder.Write("models/a/model.yaml", "serve: { digits: {} }");
        await using var server = await TestServer.StartAsync(folder);
        Assert.Equal("1", await VersionAsync(server, "digits"));

        Directory.Move(folder.PathOf("models/a"), folder.PathOf("models/b"));
        await server.Serving.Repository!.RefreshAsync();

        Assert.Equal("1", await VersionAsync(server, "digits"));
        Assert.Equal("b", server.Serving.Find("digits")!.Route.Deployment);
    }

    [Fact]
    public async Task A_folder_that_is_renamed_while_memory_is_full_answers_under_its_names()
    {
        var folder = Repository("poll", "residency: { memoryBytesMax: { simulated: 10 } }\n");
        folder.Write("models/a/model.yaml", Simulated + "serve: { digits: {} }\n");
        await using var server = await TestServer.StartAsync(folder);
        Assert.Equal(200, (await server.InferRowAsync("digits")).Status);

        Directory.Move(folder.PathOf("models/a"), folder.PathOf("models/b"));
        await server.Serving.Repository!.RefreshAsync();

        var answer = await server.InferRowAsync("digits");
        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal("b", server.Serving.Find("digits")!.Route.Deployment);
    }

    [Fact]
    public async Task A_new_version_that_cannot_be_loaded_leaves_the_old_one_serving_until_it_is_mended()
    {
        var folder = Repository("poll").Model("m", 1);
        await using var server = await TestServer.StartAsync(folder);
        var repository = server.Serving.Repository!;

        folder.Write("models/m/2/model.onnx", "no model");
        await repository.RefreshAsync();
        Assert.Equal("1", await VersionAsync(server, "m"));
        (await server.InferAsync("m/versions/2", Row)).Is(503, "model_not_ready", "failed to load");
        // Also when nothing is tried again.
        await repository.RefreshAsync();
        Assert.Equal("1", await VersionAsync(server, "m"));

        folder.Model("m", 2);
        await repository.RefreshAsync();
        Assert.Equal("2", await VersionAsync(server, "m"));
        (await server.InferAsync("m/versions/1", Row)).Is(404, "unknown_model", "version 1 is not found");
    }

    [Fact]
    public async Task An_old_version_whose_folder_is_deleted_ends_though_the_new_one_cannot_be_loaded()
    {
        var folder = Repository("poll").Model("m", 1);
        await using var server = await TestServer.StartAsync(folder);
        folder.Write("models/m/2/model.onnx", "no model");
        await server.Serving.Repository!.RefreshAsync();

        Directory.Delete(folder.PathOf("models/m/1"), recursive: true);
        await server.Serving.Repository.RefreshAsync();

        (await server.InferAsync("m", Row)).Is(503, "model_not_ready", "failed to load");
    }

    [Fact]
    public async Task A_model_that_can_never_fit_says_so_when_it_is_loaded()
    {
        var folder = Repository("explicit", "residency: { memoryBytesMax: { simulated: 5 } }\n");
        folder.Write("models/big/model.yaml", Simulated);
        await using var server = await TestServer.StartAsync(folder);

        var fault = await server.Serving.Repository!.LoadAsync("big");

        Assert.Contains("models may take 5 on simulated", fault!.Message, StringComparison.Ordinal);
        (await server.InferRowAsync("big")).Is(503, "model_not_ready", "failed to load", "models may take 5");
        Assert.Null(await server.Serving.Repository.UnloadAsync("big"));
        Assert.Equal(200, (await server.GetAsync("/v2/health/ready")).Status);
    }

    [Fact]
    public async Task Callers_load_and_unload_only_where_that_is_configured()
    {
        await using var server = await TestServer.StartAsync(Repository("none").Model("m", 1));

        var refused = await server.Serving.Repository!.LoadAsync("m");

        Assert.Equal(FaultKind.Unsupported, refused!.Kind);
        Assert.Contains("repository.modelControl: explicit", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Under_explicit_control_nothing_is_loaded_before_somebody_asks()
    {
        await using var server = await TestServer.StartAsync(Repository("explicit").Model("m", 1));
        (await server.InferAsync("m", Row)).Is(404, "unknown_model", "is not loaded");
        Assert.Equal(200, (await server.GetAsync("/v2/health/ready")).Status);

        Assert.Null(await server.Serving.Repository!.LoadAsync("m"));
        Assert.Equal("1", await VersionAsync(server, "m"));

        Assert.Null(await server.Serving.Repository.UnloadAsync("m"));
        (await server.InferAsync("m", Row)).Is(404, "unknown_model", "is not loaded");
        Assert.Equal(FaultKind.UnknownModel, (await server.Serving.Repository.LoadAsync("nope"))!.Kind);
    }

    [Fact]
    public async Task A_configuration_sent_with_the_load_lies_over_that_of_the_folder()
    {
        await using var server = await TestServer.StartAsync(Repository("explicit").Model("m", 1));

        Assert.Null(await server.Serving.Repository!.LoadAsync("m", "{\"max_batch_size\": 3}"));

        Assert.Equal(3, server.Serving.Find("m")!.RowsMax);
    }

    [NeedsFact(Need.LinuxX64)]
    public async Task A_file_that_kills_the_library_fails_and_the_server_goes_on()
    {
        var folder = Repository("explicit").Model("good", 1);
        var deadly = folder.PathOf("models/deadly/1");
        Directory.CreateDirectory(deadly);
        var recogniser = Runtimes.Onnx.Repository.At(
            "native", "node_modules", "@gutenye", "ocr-models", "assets", "ch_PP-OCRv4_rec_infer.onnx");
        ModelCacheTests.Save(File.ReadAllBytes(recogniser), deadly, packed: true);
        folder.Write("models/deadly/model.yaml", $"file: {CacheEntry.Graph}\nonnx: {{ optimization: none }}");
        await using var server = await TestServer.StartAsync(folder);
        server.Serving.Models.Canary = new(
            new CanaryProbe(new() { Command = ["dotnet", ChildProcess.App] }, TimeProvider.System), always: false);
        Assert.Null(await server.Serving.Repository!.LoadAsync("good"));

        var fault = await server.Serving.Repository.LoadAsync("deadly");

        Assert.Contains("crashed with signal 11 (SIGSEGV)", fault!.Message, StringComparison.Ordinal);
        (await server.InferAsync("deadly", Row)).Is(503, "model_not_ready", "SIGSEGV");
        Assert.Equal("1", await VersionAsync(server, "good"));
    }

    /// <summary>With a minute, which a busy machine may need for anything.</summary>
    private static readonly string Row = TestServer.Row("\"timeout\":60000000");

    private const string Simulated = """
        runtime: simulated
        simulated:
          inputs: { x: "FP32 [-1,4]" }
          outputs: { y: "FP32 [-1,4]" }
          latencyMs: { 1: 0.05 }
          memoryBytes: 10
        deadline: { floorMs: 600000 }

        """;

    private static ConfigFolder Repository(string control, string more = "") => new ConfigFolder().Write(
        "spillway.yaml", $$"""
            server: { port: 0 }
            repository: { path: models, modelControl: {{control}}, pollMs: 86400000 }
            {{more}}
            """);

    private static async Task<string> VersionAsync(TestServer server, string model)
    {
        var answer = await server.InferAsync(model, Row);
        Assert.True(answer.Status == 200, answer.Text);
        return answer.Json.GetProperty("model_version").GetString()!;
    }
}

/// <summary>Models in a folder.</summary>
internal static class RepositoryFolder
{
    /// <summary>Puts a small model there, once for each version: y is x, 4 numbers a row.</summary>
    public static ConfigFolder Model(this ConfigFolder folder, string name, params int[] versions)
    {
        foreach (var version in versions)
        {
            var file = folder.PathOf($"models/{name}/{version}/model.onnx");
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, OnnxModels.Identity(OnnxWriter.Float));
        }

        return folder;
    }
}

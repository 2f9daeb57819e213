using System.Text;
using System.Text.Json;
using Spillway.Shared;
using Spillway.Tests.Config;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server;

/// <summary>
/// The model repository extension as tritonclient sends it, and as nobody should. This file is long because uploads,
/// loads and unloads share their few helpers.
/// </summary>
public sealed class RepositoryCallTests
{
    private const string Load = "/v2/repository/models/m/load";
    private const string Unload = "/v2/repository/models/m/unload";

    private static readonly string s_model = Convert.ToBase64String(OnnxModels.Identity(OnnxWriter.Float));

    [Fact]
    public async Task The_index_lists_every_version_and_what_is_broken_and_a_load_makes_it_ready()
    {
        var folder = Repository().Model("m", 1, 2).Model("broken", 1);
        folder.Write("models/m/model.yaml", "versions: { all: true }");
        folder.Write("models/broken/config.pbtxt", "no_such_field: 1\n");
        await using var server = await TestServer.StartAsync(folder);
        string[] known = ["m 1 UNAVAILABLE unloaded", "m 2 UNAVAILABLE unloaded"];
        var index = await IndexAsync(server, "");
        Assert.Equal(known, index.Where(r => r.StartsWith('m')));
        Assert.Contains("no_such_field", Assert.Single(index, r => r.StartsWith("broken", StringComparison.Ordinal)),
            StringComparison.Ordinal);
        Assert.Empty(await IndexAsync(server, """{"ready":true}"""));

        var loaded = await PostAsync(server, Load, "{}");

        Assert.Equal((200, ""), (loaded.Status, loaded.Text));
        Assert.Equal(["m 1 READY ", "m 2 READY "], await IndexAsync(server, """{"ready":true}"""));
        Assert.Equal(200, (await PostAsync(server, Unload, """{"parameters":{"unload_dependents":false}}""")).Status);
        await TestServer.UntilAsync(async () => known.SequenceEqual(
            (await IndexAsync(server, """{"ready":false}""")).Where(r => r.StartsWith('m'))));
        (await server.InferRowAsync("m")).Is(404, "unknown_model", "is not loaded");
    }

    [Fact]
    public async Task A_server_without_a_repository_answers_the_index_and_refuses_the_rest()
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder("", ("echo", TestServer.Simulated())));
        Assert.Equal(["echo 1 READY "], await IndexAsync(server, ""));
        (await PostAsync(server, "/v2/repository/models/echo/load", ""))
            .Is(501, "unsupported", "failed to load 'echo'", "no model repository", "repository.path");
        (await PostAsync(server, "/v2/repository/models/echo/unload", ""))
            .Is(501, "unsupported", "failed to unload 'echo'");
    }

    [Fact]
    public async Task Without_explicit_control_nothing_is_loaded_and_no_upload_is_looked_at()
    {
        await using var server = await TestServer.StartAsync(Repository("none").Model("m", 1));
        (await PostAsync(server, Load, Upload("{}", ("file:1/model.onnx", "not base64"))))
            .Is(501, "unsupported", "failed to load 'm'", "repository.modelControl: explicit");
        await server.AssertAliveAsync("m");
    }

    [Fact]
    public async Task A_configuration_lies_over_the_folders_and_a_wrong_one_leaves_what_serves()
    {
        await using var server = await LoadedAsync();
        Assert.Equal(200, (await PostAsync(server, Load, Upload("""{"max_batch_size":"16"}"""))).Status);
        Assert.Equal(16, server.Serving.Find("m")!.RowsMax);

        (await PostAsync(server, Load, Upload("""{"max_batch_sise":16}""")))
            .Is(400, "invalid_input", "failed to load 'm'", "max_batch_size");
        (await PostAsync(server, Load, Upload("no JSON"))).Is(400, "invalid_input", "failed to load 'm'");
        Assert.Equal(16, server.Serving.Find("m")!.RowsMax);
        await server.AssertAliveAsync("m");
    }

    [Theory]
    [InlineData("m")]
    [InlineData("fresh")]
    public async Task An_uploaded_model_is_served_until_it_is_unloaded_and_its_files_go_with_it(string name)
    {
        await using var server = await LoadedAsync();
        var path = $"/v2/repository/models/{name}";
        Assert.Equal(200, (await PostAsync(server, path + "/load", Upload("{}", ("file:3/model.onnx", s_model)))).Status);
        var first = server.Serving.Find(name)!.Options.File;
        Assert.Equal("3", (await server.InferRowAsync(name)).Json.GetProperty("model_version").GetString());
        Assert.True(File.Exists(first));
        var root = Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(first)))!;
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(root));
        }

        // Slashes and line breaks as other libraries write them.
        var wrapped = s_model.Insert(40, "\n").Replace("\n", "\\n", StringComparison.Ordinal).Replace("/", "\\/", StringComparison.Ordinal);
        var again = "{\"parameters\":{\"file:3/model.onnx\":\"" + wrapped + "\",\"config\":\"{}\"}}";
        Assert.Equal(200, (await PostAsync(server, path + "/load", again)).Status);
        var second = server.Serving.Find(name)!.Options.File;
        Assert.NotEqual(first, second);
        Assert.False(Directory.Exists(root));
        Assert.True((await server.InferRowAsync(name)).Status == 200);

        Assert.Equal(200, (await PostAsync(server, path + "/unload", "")).Status);
        Assert.False(File.Exists(second));
        Assert.Equal(404, (await server.InferRowAsync(name)).Status);
        // What lies in the folder is known again, and loads.
        Assert.Equal(name == "m" ? 200 : 404, (await PostAsync(server, path + "/load", "")).Status);
    }

    [Fact]
    public async Task An_upload_is_loaded_anew_without_its_files_and_is_gone_after_the_stop()
    {
        string file;
        await using (var server = await LoadedAsync())
        {
            const string path = "/v2/repository/models/up/load";
            Assert.Equal(200, (await PostAsync(server, path, Upload("""{"max_batch_size":5}""", ("file:1/model.onnx", s_model)))).Status);
            file = server.Serving.Find("up")!.Options.File;
            Assert.Equal(200, (await PostAsync(server, path, "")).Status);
            Assert.Equal((file, 5), (server.Serving.Find("up")!.Options.File, server.Serving.Find("up")!.RowsMax));
        }

        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task A_broken_upload_says_why_and_the_old_model_serves_on()
    {
        await using var server = await LoadedAsync();
        var junk = Convert.ToBase64String(Encoding.UTF8.GetBytes("no model"));
        foreach (var version in new[] { 1, 2 })
        {
            var reply = await PostAsync(server, Load, Upload("{}", ($"file:{version}/model.onnx", junk)));
            reply.Is(500, "load_failed", "failed to load 'm'");
            Assert.Equal("1", (await server.InferRowAsync("m")).Json.GetProperty("model_version").GetString());
            Assert.Equal(["m 1 READY "], await IndexAsync(server, ""));
        }

        (await PostAsync(server, "/v2/repository/models/new/load", Upload("{}", ("file:1/model.onnx", junk))))
            .Is(500, "load_failed", "failed to load 'new'");
        Assert.Equal(["m 1 READY "], await IndexAsync(server, ""));
        Assert.Equal(200, (await server.GetAsync("/v2/health/ready")).Status);
    }

    [Theory]
    [InlineData("file:../../x/model.onnx")]
    [InlineData("file:1/../../../x")]
    [InlineData("file:1//etc/passwd")]
    [InlineData("file:/etc/passwd")]
    [InlineData("file:1/..")]
    [InlineData("file:1/")]
    [InlineData("file:0/model.onnx")]
    [InlineData("file:model.onnx")]
    [InlineData("file:1/a\\\\..\\\\b")]
    [InlineData("file:1/a\\u0000b")]
    public async Task A_place_outside_of_a_version_is_refused(string place)
    {
        await using var server = await LoadedAsync();
        (await PostAsync(server, Load, Upload("{}", (place, s_model))))
            .Is(400, "invalid_input", "failed to load 'm'", "names no file of a version");
        await server.AssertAliveAsync("m");
    }

    [Theory]
    [InlineData("QUJ")]
    [InlineData("QU!=")]
    [InlineData("=QQQ")]
    [InlineData("QQ==QQ==")]
    [InlineData("QUJD\\u0041")]
    public async Task What_is_no_base64_is_refused(string text)
    {
        await using var server = await LoadedAsync();
        (await PostAsync(server, Load, Upload("{}", ("file:1/model.onnx", text))))
            .Is(400, "invalid_input", "failed to load 'm'", "is no base64");
        await server.AssertAliveAsync("m");
    }

    [Theory]
    [InlineData("""{"parameters":{"file:1/model.onnx":"QUJD"}}""", "without the parameter 'config'")]
    [InlineData("""{"parameters":{"config":{}}}""", "'config' must be a string")]
    [InlineData("""{"parameters":{"config":"{}","file:1/model.onnx":7}}""", "must be a string of base64")]
    [InlineData("""{"parameters":{"confg":"{}"}}""", "'confg' is unknown")]
    [InlineData("""{"parameters":{"config":"{}","file:1/a":"QUJD","file:1/a":"QUJD"}}""", "Send each file once")]
    [InlineData("""{"parameters":{"config":"{}","file:1/a":"QUJD","file:1/a/b":"QUJD"}}""", "cannot be kept")]
    [InlineData("""{"parameters":{"config":"\ud800"}}""", "no valid Unicode")]
    [InlineData("""{"parameters":[]}""", "JSON non-object")]
    [InlineData("[]", "JSON non-object")]
    [InlineData("{", "is not JSON")]
    public async Task A_body_that_is_wrong_says_how(string body, string says)
    {
        await using var server = await LoadedAsync();
        (await PostAsync(server, Load, body)).Is(400, "invalid_input", says);
        await server.AssertAliveAsync("m");
    }

    [Theory]
    [InlineData("..%2f..%2fetc")]
    [InlineData("%2e%2e%2fm")]
    [InlineData("a%20b")]
    [InlineData("%00")]
    [InlineData("nobody")]
    public async Task A_name_that_no_folder_has_is_refused(string name)
    {
        await using var server = await LoadedAsync();
        var reply = await PostAsync(server, $"/v2/repository/models/{name}/load", "");
        Assert.True(reply.Status is 404 or 400, $"{reply.Status}: {reply.Text}");
        Assert.Contains(name == "nobody" ? "failed to load 'nobody'" : "", reply.Text, StringComparison.Ordinal);
        Assert.NotEqual(200, (await PostAsync(server, $"/v2/repository/models/{name}/unload", "")).Status);
        await server.AssertAliveAsync("m");
    }

    [Fact]
    public async Task What_is_too_large_is_refused_before_it_is_kept()
    {
        await using var server = await LoadedAsync("bodyBytesMax: 8192", ", uploadBytesMax: 1000");
        (await PostAsync(server, Load, Upload("{}", ("file:1/model.onnx", new string('A', 9000)))))
            .Is(413, "input_too_large", "server.bodyBytesMax");
        (await PostAsync(server, Load, Upload("{}", ("file:1/model.onnx", s_model), ("file:1/data", new string('A', 4000)))))
            .Is(413, "input_too_large", "failed to load 'm'", "repository.uploadBytesMax");
        await server.AssertAliveAsync("m");
        await TestServer.UntilAsync(async () => (await server.GetAsync("/admin/v1/server")).Json
            .GetProperty("body_bytes_held").GetInt64() == 0);
    }

    [Fact]
    public async Task Loading_again_and_again_under_load_drops_nothing()
    {
        await using var server = await LoadedAsync();
        using var over = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 4).Select(async _ =>
        {
            var answers = new List<Reply>();
            while (!over.IsCancellationRequested)
                answers.Add(await server.InferRowAsync("m", "\"timeout\":60000000"));
            return answers;
        }).ToList();

        for (var i = 0; i < 12; i++)
        {
            var body = i % 2 == 0 ? Upload("{}", ("file:1/model.onnx", s_model)) : "";
            Assert.Equal(200, (await PostAsync(server, Load, body)).Status);
        }

        await over.CancelAsync();
        foreach (var answers in await Task.WhenAll(callers))
            Assert.All(answers, a => Assert.True(a.Status == 200, a.Text));
    }

    [Fact]
    public async Task What_an_unloaded_model_holds_is_answered()
    {
        var time = new ManualTimeProvider();
        var folder = Repository().Write("models/slow/model.yaml", TestServer.Simulated("{ 1: 1500 }"));
        await using var server = await TestServer.StartOnAsync(time, folder);
        Assert.Equal(200, (await PostAsync(server, "/v2/repository/models/slow/load", "")).Status);
        var held = server.InferRowAsync("slow");
        await server.UntilModelAsync("slow", "active_runs", 1);

        var unloaded = await PostAsync(server, "/admin/v1/repository/models/slow/unload", "");

        var row = Assert.Single(unloaded.Json.GetProperty("models").EnumerateArray());
        Assert.Equal("UNLOADING", row.GetProperty("state").GetString());
        (await server.InferRowAsync("slow")).Is(404, "unknown_model", "is not loaded");
        Assert.Equal(200, (await TestServer.ThroughAsync(time, held, stepMs: 20)).Status);
        await TestServer.UntilAsync(async () =>
        {
            time.Advance(TimeSpan.FromMilliseconds(20));
            return (await IndexAsync(server, "")).Contains("slow 1 UNAVAILABLE unloaded");
        });
    }

    [Theory]
    [InlineData("GET", "/v2/repository/index", 405)]
    [InlineData("GET", Load, 405)]
    [InlineData("PUT", Unload, 405)]
    [InlineData("GET", "/admin/v1/repository/models/m/load", 405)]
    [InlineData("POST", "/v2/repository/mine/index", 501)]
    [InlineData("POST", "/v2/repository/mine/models/m/load", 501)]
    [InlineData("POST", "/v2/repository/models/m", 404)]
    [InlineData("POST", "/v2/repository/models//load", 404)]
    [InlineData("POST", "/v2/repository/models/m/reload", 404)]
    [InlineData("POST", "/v2/repository/", 404)]
    [InlineData("POST", "/admin/v1/repository/models/m/reload", 404)]
    public async Task Other_methods_and_paths_are_told(string method, string path, int status)
    {
        await using var server = await LoadedAsync();
        var reply = await server.SendAsync(new(new(method), path));
        Assert.Equal(status, reply.Status);
        Assert.Equal(status == 405 ? "POST" : null, reply.Header("Allow"));
    }

    [Fact]
    public async Task A_page_from_elsewhere_cannot_unload_anything()
    {
        await using var server = await LoadedAsync();
        foreach (var path in new[] { Unload, "/admin/v1/repository/models/m/unload" })
        {
            var request = new HttpRequestMessage(HttpMethod.Post, path);
            request.Headers.Add("Origin", "https://example.com");
            (await server.SendAsync(request)).Is(403, "forbidden");
        }

        await server.AssertAliveAsync("m");
    }

    [Fact]
    public async Task The_command_line_loads_and_unloads()
    {
        await using var server = await TestServer.StartAsync(Repository().Model("m", 1));
        var at = server.Address.ToString();
        var (code, output, errors) = await ChildProcess.RunAsync("models", "load", "m", "--server", at);
        Assert.True(code == 0, errors);
        Assert.Contains("m  version 1  READY", output, StringComparison.Ordinal);
        await server.AssertAliveAsync("m");

        (code, output, errors) = await ChildProcess.RunAsync("models", "unload", "m", "--json", "--server", at);
        Assert.True(code == 0, errors);
        Assert.Equal("m", JsonElement.Parse(output).GetProperty("models")[0].GetProperty("name").GetString());
        (code, _, errors) = await ChildProcess.RunAsync("models", "load", "nobody", "--server", at);
        Assert.Equal(1, code);
        Assert.Contains("failed to load 'nobody'", errors, StringComparison.Ordinal);
    }

    private static ConfigFolder Repository(string control = "explicit", string server = "name: spillway", string more = "") =>
        new ConfigFolder().Write(
            "spillway.yaml",
            $"server: {{ port: 0, {server} }}\nrepository: {{ path: models, modelControl: {control}{more} }}\n");

    /// <summary>Under explicit control, with m loaded.</summary>
    private static async Task<TestServer> LoadedAsync(string server = "name: spillway", string more = "")
    {
        var folder = Repository("explicit", server, more).Model("m", 1);
        var started = await TestServer.StartAsync(folder);
        Assert.Equal(200, (await PostAsync(started, Load, "")).Status);
        return started;
    }

    /// <summary>The body that tritonclient sends; values as they stand in JSON.</summary>
    private static string Upload(string config, params (string Name, string Text)[] files)
    {
        var parameters = files.Select(f => $"\"{f.Name}\":\"{f.Text}\"")
            .Prepend($"\"config\":{JsonSerializer.Serialize(config)}");
        return "{\"parameters\":{" + string.Join(",", parameters) + "}}";
    }

    private static Task<Reply> PostAsync(TestServer server, string path, string body) =>
        server.SendAsync(new(HttpMethod.Post, path) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) });

    private static async Task<List<string>> IndexAsync(TestServer server, string body)
    {
        var reply = await PostAsync(server, "/v2/repository/index", body);
        Assert.True(reply.Status == 200, reply.Text);
        return [.. reply.Json.EnumerateArray().Select(m =>
            $"{m.GetProperty("name")} {(m.TryGetProperty("version", out var v) ? v : "")} {m.GetProperty("state")} {m.GetProperty("reason")}")];
    }
}

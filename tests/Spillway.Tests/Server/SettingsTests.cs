using System.Text;

namespace Spillway.Tests.Server;

public sealed class SettingsTests
{
    private const string Everything =
        """{"trace_level":["TIMESTAMPS"],"trace_rate":"1","trace_count":"-1","log_frequency":"0","trace_file":"","""
        + "\"trace_mode\":\"spillway\"}";

    private const string Trace = "/v2/trace/setting";
    private const string ModelTrace = "/v2/models/echo/trace/setting";

    [Fact]
    public async Task What_is_traced_is_what_the_ring_of_recent_requests_keeps()
    {
        await using var server = await StartAsync();
        Assert.Equal(Everything, (await server.GetAsync(Trace)).Text);
        Assert.Equal(Everything, (await server.GetAsync(ModelTrace)).Text);

        await ShowsAsync(server, Trace, """{"trace_level":["OFF"]}""", "\"trace_level\":[\"OFF\"]");
        await server.InferRowAsync("echo", id: "unseen");
        await ShowsAsync(server, Trace, "{}", "OFF");
        // A model's own setting goes before the server's.
        await ShowsAsync(server, ModelTrace, """{"trace_level":"TIMESTAMPS","trace_count":"1"}""", "TIMESTAMPS");
        await server.InferRowAsync("echo", id: "seen");
        await server.RecordAsync("seen");
        Assert.Contains("\"trace_count\":\"0\"", (await server.GetAsync(ModelTrace)).Text, StringComparison.Ordinal);
        await server.InferRowAsync("echo", id: "beyond");
        Assert.Equal(404, (await server.GetAsync("/admin/v1/requests/unseen")).Status);

        await ShowsAsync(server, ModelTrace, """{"trace_level":null,"trace_count":null}""", "OFF");
        Assert.Equal(Everything, (await PostAsync(server, Trace, """{"trace_level":null}""")).Text);
        Assert.Equal(Everything, (await server.GetAsync(ModelTrace)).Text);
        await server.InferRowAsync("echo", id: "again");
        await server.RecordAsync("again");
        Assert.Equal(404, (await server.GetAsync("/admin/v1/requests/beyond")).Status);
    }

    [Theory]
    [InlineData("""{"trace_rate":"100","trace_count":"5"}""", "\"trace_rate\":\"100\",\"trace_count\":\"5\"")]
    [InlineData("""{"trace_rate":7}""", "\"trace_rate\":\"7\"")]
    [InlineData("""{"trace_rate":["7"]}""", "\"trace_rate\":\"7\"")]
    [InlineData("""{"trace_level":["OFF","TIMESTAMPS"]}""", "[\"TIMESTAMPS\"]")]
    [InlineData("""{"trace_file":"","log_frequency":"0","trace_mode":"spillway"}""", "\"trace_rate\":\"1\"")]
    public async Task Settings_are_taken_as_texts_numbers_or_lists(string body, string shows)
    {
        await using var server = await StartAsync();
        foreach (var path in (string[])[Trace, ModelTrace])
            await ShowsAsync(server, path, body, shows);
    }

    [Theory]
    [InlineData(Trace, """{"trace_level":["TENSORS"]}""", 501, "never hold inputs or outputs")]
    [InlineData(Trace, """{"trace_level":"ALL"}""", 400, "trace_level 'ALL' is unknown")]
    [InlineData(Trace, """{"trace_level":[1]}""", 400, "trace_level '1' is unknown")]
    [InlineData(Trace, """{"trace_rate":"0"}""", 400, "a whole number from 1")]
    [InlineData(Trace, """{"trace_rate":"often"}""", 400, "trace setting 'trace_rate'")]
    [InlineData(Trace, """{"trace_count":"-2"}""", 400, "trace setting 'trace_count'")]
    [InlineData(Trace, """{"trace_file":"trace.json"}""", 501, "GET /admin/v1/requests")]
    [InlineData(ModelTrace, """{"log_frequency":"10"}""", 501, "traced in memory")]
    [InlineData(Trace, """{"trace_mode":"opentelemetry"}""", 501, "trace_mode")]
    [InlineData(Trace, """{"trace_rate":"5","speed":"1"}""", 400, "unknown trace setting 'speed'")]
    [InlineData(Trace, "[]", 400, "object")]
    [InlineData(Trace, "{", 400, "failed to parse the request JSON buffer")]
    [InlineData(Trace, "", 400, "failed to parse the request JSON buffer")]
    [InlineData("/v2/logging", """{"log_file":"server.log"}""", 501, "redirect it where the server is started")]
    [InlineData("/v2/logging", """{"log_format":"default"}""", 501, "log_format")]
    [InlineData("/v2/logging", """{"log_info":"yes"}""", 400, "log setting 'log_info' is true or false")]
    [InlineData("/v2/logging", """{"log_verbose_level":-1}""", 400, "log setting 'log_verbose_level'")]
    [InlineData("/v2/logging", """{"log_file":"\ud800"}""", 400, "is not Unicode")]
    [InlineData("/v2/logging", """{"\ud800":true}""", 400, "is not Unicode")]
    [InlineData("/v2/logging", """{"log_info":false,"log_format":"\udc00x"}""", 400, "is not Unicode")]
    [InlineData(Trace, """{"trace_level":["\ud800"]}""", 400, "is not Unicode")]
    [InlineData(ModelTrace, """{"trace_rate":"\ud800"}""", 400, "is not Unicode")]
    [InlineData("/v2/logging", """{"log_info":false,"log_colour":true}""", 400, "unknown log setting 'log_colour'")]
    public async Task What_means_nothing_here_is_refused_and_nothing_is_changed(
        string path, string body, int status, string says)
    {
        await using var server = await StartAsync();
        var before = (await server.GetAsync(path)).Text;
        (await PostAsync(server, path, body)).Is(status, status == 501 ? "unsupported" : "invalid_input", says);
        Assert.Equal(before, (await server.GetAsync(path)).Text);
    }

    [Fact]
    public async Task Log_levels_change_while_the_server_runs()
    {
        await using var server = await StartAsync();
        Assert.Equal(
            """
            {"log_file":"","log_info":true,"log_warning":true,"log_error":true,
            "log_verbose_level":0,"log_format":"ISO8601"}
            """.ReplaceLineEndings(""),
            (await server.GetAsync("/v2/logging")).Text);
        const string change = """{"log_info":false,"log_verbose_level":1,"log_format":"ISO8601"}""";
        var reply = await PostAsync(server, "/v2/logging", change);
        Assert.Equal(
            """
            {"log_file":"","log_info":false,"log_warning":true,"log_error":true,
            "log_verbose_level":1,"log_format":"ISO8601"}
            """.ReplaceLineEndings(""),
            reply.Text);
        Assert.Equal(reply.Text, (await server.GetAsync("/v2/logging")).Text);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_process_writes_no_more_events_of_a_level_that_is_switched_off(bool info)
    {
        using var folder = TestServer.Folder("drainMs: 1", ("slow", TestServer.Simulated("{ 1: 60000 }")));
        await using var process = ChildProcess.Spillway(["up", folder.PathOf("spillway.yaml")]);
        var ready = await process.LineAsync("Ready");
        using var http = new HttpClient { BaseAddress = new(ready[ready.IndexOf("http", StringComparison.Ordinal)..]) };
        using var setting = new StringContent(info ? "{}" : """{"log_info":false}""");
        Assert.True((await http.PostAsync(new Uri("/v2/logging", UriKind.Relative), setting)).IsSuccessStatusCode);
        using var row = new StringContent(TestServer.Row());
        var answer = http.PostAsync(new Uri("/v2/models/slow/infer", UriKind.Relative), row);
        var models = new Uri("/admin/v1/models", UriKind.Relative);
        await TestServer.UntilAsync(async () =>
            (await http.GetStringAsync(models)).Contains("\"active_runs\":1", StringComparison.Ordinal));

        await process.SignalAsync("TERM");
        var (_, output, _) = await process.EndAsync();

        Assert.Contains("The drain time is over", output, StringComparison.Ordinal);
        Assert.Equal(info, output.Contains("Draining: 1 request(s) in flight", StringComparison.Ordinal));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => answer);
    }

    [Fact]
    public async Task A_setting_is_short_and_plain()
    {
        await using var server = await StartAsync();
        (await PostAsync(server, Trace, new string(' ', 20_000) + "{}")).Is(413, "input_too_large", "16,384");
        var request = new HttpRequestMessage(HttpMethod.Post, Trace) { Content = new ByteArrayContent([1, 2, 3]) };
        request.Content.Headers.ContentEncoding.Add("gzip");
        (await server.SendAsync(request)).Is(501, "unsupported", "without Content-Encoding");
    }

    [Fact]
    public async Task Who_may_not_call_may_not_change_settings_either()
    {
        await using var server = await StartAsync();
        var request = new HttpRequestMessage(HttpMethod.Post, "/v2/logging");
        request.Content = new StringContent("""{"log_error":false}""");
        request.Headers.Add("Origin", "https://example.com");
        Assert.Equal(403, (await server.SendAsync(request)).Status);
        Assert.Contains("\"log_error\":true", (await server.GetAsync("/v2/logging")).Text, StringComparison.Ordinal);
        (await PostAsync(server, "/v2/models/nobody/trace/setting", "{}")).Is(404, "unknown_model");
    }

    private static Task<TestServer> StartAsync() =>
        TestServer.StartAsync(TestServer.Folder("", ("echo", TestServer.Simulated())));

    private static async Task ShowsAsync(TestServer server, string path, string body, string text) =>
        Assert.Contains(text, (await PostAsync(server, path, body)).Text, StringComparison.Ordinal);

    private static Task<Reply> PostAsync(TestServer server, string path, string body) => server.SendAsync(
        new(HttpMethod.Post, path) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) });
}

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Spillway.App.Simulate;
using Spillway.Tests.Config;
using Spillway.Tests.Server.Access;
using Spillway.Tests.Server.Upstreams;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>Upstreams that are not what they say, what answers cost, and load against a server.</summary>
public sealed class OddUpstreamTests
{
    private static readonly string s_patient = UpstreamServer.PatientInline();

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_is_a_502_that_says_so_and_no_key_is_sent()
    {
        using var authority = new Authority();
        using var certificate = authority.Server();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var said = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            await using var tls = new SslStream(client.GetStream());
            try
            {
                await tls.AuthenticateAsServerAsync(certificate);
                var some = new byte[4096];
                return Encoding.ASCII.GetString(some, 0, await tls.ReadAsync(some));
            }
            catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
            {
                return "";
            }
        });
        var folder = new ConfigFolder().Write("key.txt", "k-123\n").Write("spillway.yaml", $$"""
            server: { port: 0 }
            upstreams:
              u:
                kind: openai
                keyFrom: key.txt
                retry: { attemptsMax: 1 }
                targets: { t: { url: "https://127.0.0.1:{{port}}/v1" } }
            routes:
              chat: { chain: { steps: [{ model: u }] } }
            """);
        UpstreamKeyTests.Mine(folder.PathOf("key.txt"));
        await using var server = await TestServer.StartAsync(folder);

        var reply = await server.SendAsync(ChatServer.Request("/v1/chat/completions", ChatServer.Body(), []));

        ChatTests.Refused(reply, 502, "server_error", "upstream_unreachable", "certificate");
        Assert.DoesNotContain("k-123", await said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"bad name\"}}")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"x\",\"parameters\":{\"type\":7}}}]")]
    public async Task A_schema_that_the_upstream_refuses_is_the_callers_mistake_in_the_upstreams_words(string more)
    {
        const string Words = """
            {"error":{"message":"Invalid schema.","type":"invalid_request_error","param":null,"code":null}}
            """;
        await using var upstream = new RogueServer(call => call.WriteAsync(
            $"HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: {Words.Length}\r\n\r\n{Words}"));
        var folder = new ConfigFolder().Write("spillway.yaml", $$"""
            server: { port: 0 }
            upstreams:
              u: { kind: openai, {{s_patient}}, targets: { t: { url: "{{upstream.Url}}/v1" } } }
            routes: { chat: { chain: { steps: [{ model: u }] } } }
            """);
        await using var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml"), folder);

        var reply = await server.SendAsync(ChatServer.Request("/v1/chat/completions", ChatServer.Body(more), []));

        Assert.Equal((400, Words, 1), (reply.Status, reply.Text, upstream.Calls));
    }

    [Fact]
    public async Task A_whole_answer_says_what_it_costs_and_a_stream_where_that_is_asked_for()
    {
        await using var chat = await ChatServer.StartAsync(root: """
            prices:
              currency: USD
              models: { u0: [{ from: 2020-01-01, perMillionInput: 0, perMillionOutput: 1000 }] }
            """);

        var whole = await chat.ChatAsync("\"max_tokens\":4");
        var stream = await chat.ChatAsync("\"max_tokens\":4,\"stream\":true", ("X-Spillway-Cost", "true"));
        var plain = await chat.ChatAsync("\"max_tokens\":4,\"stream\":true");

        Assert.Equal("0.004000000", whole.Header("X-Spillway-Cost"));
        Assert.EndsWith(": x-spillway-cost 0.004000000\n\ndata: [DONE]\n\n", stream.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("cost", plain.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chats_are_under_vLLMs_names_too_where_that_is_asked_for()
    {
        await using var chat = await ChatServer.StartAsync(
            environment: ("SPILLWAY__SERVER__VLLMMETRICNAMES", "true"));
        await using var plain = await ChatServer.StartAsync();

        Assert.True((await chat.StreamAsync()).IsDone);

        await TestServer.UntilAsync(async () => (await chat.Server.GetAsync("/metrics")).Text.Contains(
            "vllm:time_to_first_token_seconds_count{model_name=\"chat\"} 1", StringComparison.Ordinal));
        Assert.DoesNotContain("vllm:", (await plain.Server.GetAsync("/metrics")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_goes_on_while_models_beside_it_come_and_go()
    {
        using var gate = new SemaphoreSlim(0);
        await using var held = new RogueServer(async call =>
        {
            call.Closes = true;
            await call.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                + "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\n");
            await gate.WaitAsync(call.Stop);
            await call.WriteAsync(
                "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}"
                + "\n\ndata: [DONE]\n\n");
        });
        var folder = new ConfigFolder().Write("spillway.yaml", $$"""
            server: { port: 0 }
            models: [echo]
            upstreams:
              u: { kind: openai, {{s_patient}}, targets: { t: { url: "{{held.Url}}/v1" } } }
            routes: { chat: { chain: { steps: [{ model: u }] } } }
            """).Write("echo/model.yaml", TestServer.Simulated());
        await using var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml"), folder);
        using var response = await server.Http.SendAsync(
            ChatServer.Request("/v1/chat/completions", ChatServer.Body("\"stream\":true"), []),
            HttpCompletionOption.ResponseHeadersRead);

        var echo = server.Snapshot.Models[0];
        Assert.Null(await server.Serving.Models.LoadAsync(echo));
        await server.Serving.Models.RemoveAsync(echo);
        gate.Release();

        Assert.EndsWith("data: [DONE]\n\n", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_counts_answers_and_tokens_of_any_server_of_the_protocol()
    {
        await using var upstream = await SimulatedModelServer.StartAsync(ChatServer.Fast);
        var url = $"{upstream.Address}v1";

        var well = await ChildProcess.RunAsync("load", "chat", "simulated", "--url", url, "--duration", "200ms",
            "--answer-tokens", "4", "--json");
        var broken = await ChildProcess.RunAsync("load", "chat", "truncated-chunk", "--url", url, "--duration", "200ms",
            "--json");

        var report = System.Text.Json.JsonElement.Parse(well.Output);
        var ok = report.GetProperty("outcomes").GetProperty("ok").GetInt64();
        Assert.True(well.ExitCode == 0 && ok > 0, well.Output + well.Errors);
        Assert.Equal(4 * ok, report.GetProperty("output_tokens").GetInt64());
        Assert.Equal(ok, report.GetProperty("first_token_ms").GetProperty("count").GetInt64());
        Assert.Equal(1, broken.ExitCode);
        Assert.False(System.Text.Json.JsonElement.Parse(broken.Output).GetProperty("outcomes")
            .TryGetProperty("ok", out _));
    }
}

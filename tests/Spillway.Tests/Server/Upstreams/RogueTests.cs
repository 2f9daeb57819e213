using Spillway.Engine;
using Spillway.Tests.App.Load;
using Spillway.Tests.Server.Routes;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server.Upstreams;

/// <summary>
/// Upstreams that misbehave: each way is the fault that was promised, the chain goes on, and nothing stays held.
/// </summary>
public sealed class RogueTests
{
    /// <summary>On a clock of the test's own, but for the connection.</summary>
    private const string Bounds = UpstreamServer.Once
        + "\nconnectMs: 60000\nfirstDeltaMs: 60000\nbetweenDeltasMs: 60000\ntotalMs: 150000\nanswerBytesMax: 4096\n"
        + "breaker: { requestsMin: 10000, failuresInRowMax: 1000 }";

    private const double SecondMs = 1000;

    private const string Head = "HTTP/1.1 200 OK\r\n";

    private static readonly byte[] s_row = new byte[16];

    /// <summary>What an upstream may do wrong with the bytes of one answer, each with its fault.</summary>
    public static TheoryData<string, byte[], bool, string> Answers()
    {
        var all = new TheoryData<string, byte[], bool, string>();
        void Add(string what, byte[] bytes, string fault = "upstream_failed", bool closes = false) =>
            all.Add(what, bytes, closes, fault);
        void Text(string what, string text, string fault = "upstream_failed", bool closes = false) =>
            Add(what, System.Text.Encoding.Latin1.GetBytes(text), fault, closes);
        void Json(string what, string json) => Add(what, RogueServer.Json(json, []));
        void Output(string what, string output, int bytes = 16) =>
            Add(what, RogueServer.Reply(output, new byte[bytes]));

        Text("closes without a word", "", closes: true);
        Text("half a head", "HTTP/1.1 200", closes: true);
        Text("no HTTP", "BLAH\r\n\r\n", closes: true);
        Text("an endless head", $"{Head}X-Long: {new string('x', 100_000)}\r\n\r\n");
        Add("half a body", RogueServer.Reply(RogueServer.Output(), s_row)[..^9], closes: true);
        Add("less than it says", RogueServer.Reply(RogueServer.Output(), s_row, claims: 5000), closes: true);
        Add("more than it says", RogueServer.Reply(RogueServer.Output(), s_row, claims: 20), closes: true);
        Text("a length below zero", $"{Head}Content-Length: -5\r\n\r\n", closes: true);
        Text("broken chunks", $"{Head}Transfer-Encoding: chunked\r\n\r\nzz\r\n", closes: true);
        Text("a redirect", "HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
        Text("nothing", $"{Head}Content-Length: 0\r\n\r\n");
        Text("204", "HTTP/1.1 204 x\r\n\r\n");
        Text("a page", $"{Head}Content-Length: 13\r\n\r\n<html></html>");
        Text("a huge answer", $"{Head}Content-Length: 8000\r\n\r\n{new string(' ', 8000)}");
        Text("a huge answer without a length", $"{Head}\r\n{new string(' ', 200_000)}", closes: true);
        Text("a header length that is none",
            $"{Head}Inference-Header-Content-Length: -1\r\nContent-Length: 2\r\n\r\n{{}}");
        Text("a header length beyond the body",
            $"{Head}Inference-Header-Content-Length: 99\r\nContent-Length: 2\r\n\r\n{{}}");
        Json("an array", "[]");
        Json("a null", "null");
        Json("no outputs", "{}");
        Json("outputs that are no list", """{"outputs":{"y":1}}""");
        Json("outputs of numbers", """{"outputs":[1,2]}""");
        Json("outputs of nothing", """{"outputs":[]}""");
        Json("a lone surrogate", """{"outputs":[{"name":"\ud800","datatype":"FP32","shape":[1,4]}]}""");
        Json("a deep one", string.Concat(Enumerable.Repeat("[", 200)));
        Output("an output that nobody asked for", RogueServer.Output("z"));
        Output("another type", RogueServer.Output(type: "INT32"));
        Output("an unknown type", RogueServer.Output(type: "FP7"));
        Output("another width", RogueServer.Output(shape: "[1,2]", size: "8"), 8);
        Output("another rank", RogueServer.Output(shape: "[4]"));
        Output("a shape below zero", RogueServer.Output(shape: "[-1,4]"));
        Output("twice below zero", RogueServer.Output(shape: "[-1,-4]"));
        Output("a shape without end", RogueServer.Output(shape: "[4611686018427387904,4]"));
        Output("a shape of no numbers", RogueServer.Output(shape: "[1.5,\"4\"]"));
        Output("too many dimensions", RogueServer.Output(shape: "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,4]"));
        Output("a size below zero", RogueServer.Output(size: "-16"));
        Output("a size beyond the body", RogueServer.Output(size: "17"));
        Output("a size that is not its shape's", RogueServer.Output(size: "8"), 8);
        Output("bytes behind the last output", RogueServer.Output(), 20);
        Output("an output twice", RogueServer.Output() + "," + RogueServer.Output(), 32);
        Text("429", "HTTP/1.1 429 x\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", "upstream_throttled");
        Text("503", "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", "upstream_throttled");
        Text("500", "HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n");
        Text("404", "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n");
        Text("401", "HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n");
        Text("504", "HTTP/1.1 504 x\r\nContent-Length: 0\r\n\r\n", "upstream_timeout");
        Text("a huge refusal", $"HTTP/1.1 500 x\r\nContent-Length: 200000\r\n\r\n{new string('x', 200_000)}");
        return all;
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Whatever_an_upstream_answers_the_chain_goes_on(
        string what, byte[] bytes, bool closes, string fault)
    {
        await using var rogue = new RogueServer(RogueServer.Bytes(bytes, closes));
        await using var server = await UpstreamServer.StartAsync(
            UpstreamServer.ThenModel, [rogue], UpstreamServer.Once + "\nanswerBytesMax: 4096");
        // What says when to come again is left alone until then.
        for (var i = 0; i < (what == "429" ? 1 : 2); i++)
        {
            var reply = await server.AskAsync("1,2,3,4", ("X-Request-Id", $"rogue{i}"));
            Assert.True(fault == reply.Header("X-Spillway-Degraded"), $"{what}: {reply.Header("X-Spillway-Degraded")} "
                + $"{reply.Text}");
            Assert.Equal([1, 2, 3, 4], reply.By("b", fault).Numbers("y"));
            (await server.RecordAsync($"rogue{i}")).AssertStagesSum();
        }

        await server.AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"model_name\"")]
    [InlineData("HTTP/1.1 503 x\r\nContent-Length: 100\r\n\r\n{\"error\"")]
    public async Task Upstream_that_hangs_in_any_phase_is_left_in_time(string after)
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        rogue.Infer = rogue.HangAfter(after);
        var time = new ManualTimeProvider();
        await using var server = await UpstreamServer.StartAsync(
            UpstreamServer.ThenModel, [rogue], Bounds, "deadlineMs: 600000", new Clock(time));
        var asked = server.AskAsync("1,2,3,4", ("X-Request-Id", "hang"));
        await TestServer.UntilAsync(() => rogue.Calls == 1);
        (await server.AnsweredAsync(time, asked, SecondMs)).By("b", "upstream_timeout");
        (await server.RecordAsync("hang")).AssertStagesSum();
        await TestServer.UntilAsync(() => Task.FromResult(rogue.Left == 1));
        await server.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Answer_that_drips_ends_at_the_total()
    {
        await using var rogue = new RogueServer(async call =>
        {
            await call.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            for (var i = 0; i < 1000; i++)
            {
                await call.WriteAsync(" ");
                await ScriptedServer.WorkAsync(TimeSpan.FromMilliseconds(20));
            }
        });
        var time = new ManualTimeProvider();
        // However slowly it drips, only the total is ever reached.
        await using var server = await UpstreamServer.StartAsync(
            UpstreamServer.ThenModel, [rogue], Bounds.Replace("betweenDeltasMs: 60000", "betweenDeltasMs: 150000",
                StringComparison.Ordinal), "deadlineMs: 600000", new Clock(time));
        var asked = server.AskAsync();
        await TestServer.UntilAsync(() => rogue.Calls == 1);
        (await server.AnsweredAsync(time, asked, SecondMs)).By("b", "upstream_timeout");
        await server.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Upstream_that_is_gone_cannot_be_reached()
    {
        await using var rogue = new RogueServer(RogueServer.Echo);
        await using var server = await UpstreamServer.StartAsync(UpstreamServer.ThenModel, [rogue]);
        (await server.AskAsync()).By("gpu");
        await rogue.StopAsync();
        (await server.AskAsync("1,2,3,4", ("X-Request-Id", "gone"))).By("b", "upstream_unreachable");
        await server.AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"inputs\":1}")]
    [InlineData("{\"inputs\":[1],\"outputs\":[2]}")]
    [InlineData("{\"inputs\":[{\"name\":\"x\",\"datatype\":1,\"shape\":[4]}],\"outputs\":[]}")]
    [InlineData("{\"inputs\":[{\"name\":\"\\ud800\",\"datatype\":\"FP32\",\"shape\":[4]}],\"outputs\":[]}")]
    [InlineData("<html>")]
    public async Task Description_that_is_none_is_asked_for_again(string garbage)
    {
        await using var rogue = new RogueServer(RogueServer.Echo) { Describes = garbage };
        await using var server = await TestServer.StartAsync(
            UpstreamServer.Folder(UpstreamServer.ThenModel, [rogue.Url], "healthMs: 20"));
        await TestServer.UntilAsync(async () =>
        {
            (await server.AskAsync()).By("b", "model_not_ready");
            return server.Group().Trouble.Contains("gpu/t0", StringComparison.Ordinal);
        });
        rogue.Describes = RogueServer.Description;
        await server.KnownAsync();
        (await server.AskAsync()).By("gpu");
    }
}

using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Spillway.Tests.Server;

/// <summary>Bytes that are no honest request: wrong lengths, too many, too few, none at all. 64 KiB is the body's limit here.</summary>
public sealed class HostileBytesTests(SimulatedServer fixture) : IClassFixture<SimulatedServer>
{
    private const int BodyMax = 65536;
    private readonly TestServer _server = fixture.Server;

    private static string Padded(int length) => TestServer.Row().PadRight(length);

    [Theory]
    [InlineData("\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n")]
    [InlineData("\0\0\0\0\0\0\0\0\r\n\r\n")]
    [InlineData("GET /v2/health/live\r\n\r\n")]
    [InlineData("GET /v2/health/live HTTP/9.9\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    [InlineData("GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET /v2 HTTP/1.1\r\nHost: localhost\r\nBad Header\r\n\r\n")]
    public async Task Garbage_is_refused_or_hung_up_on(string garbage)
    {
        var answer = await RawConnection.AskAsync(_server.Address, garbage);
        // To the preface of HTTP/2 Kestrel says goodbye in frames of HTTP/2.
        if (answer.StartsWith("HTTP/1.1", StringComparison.Ordinal))
            Assert.Matches("^HTTP/1.1 (4..|505)", answer);
        else
            Assert.True(answer.Length == 0 || garbage.StartsWith("PRI", StringComparison.Ordinal), answer);
        await _server.AssertAliveAsync();
    }

    [Fact]
    public async Task Ten_thousand_bytes_of_a_header_are_taken_and_forty_thousand_are_not()
    {
        async Task<string> Ask(int length) => await RawConnection.AskAsync(
            _server.Address, $"GET /v2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Long: {new string('a', length)}\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", await Ask(10_000), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 431", await Ask(40_000), StringComparison.Ordinal);
        await _server.AssertAliveAsync();
    }

    [Theory]
    [InlineData("Content-Length: -1\r\n")]
    [InlineData("Content-Length: many\r\n")]
    [InlineData("Content-Length: 5\r\nContent-Length: 6\r\n")]
    [InlineData("Content-Length: 99999999999999999999\r\n")]
    [InlineData("Transfer-Encoding: gzip\r\n")]
    public async Task A_body_without_one_valid_length_is_bad(string headers)
    {
        var answer = await RawConnection.AskAsync(_server.Address, RawConnection.InferHead("echo", headers) + "hello");
        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        await _server.AssertAliveAsync();
    }

    [Fact]
    public async Task A_chunked_body_is_read_to_its_end()
    {
        var body = TestServer.Row();
        var answer = await RawConnection.AskAsync(_server.Address, RawConnection.InferHead("echo", "Transfer-Encoding: chunked\r\n")
            + RawConnection.Chunk(body[..10]) + RawConnection.Chunk(body[10..]) + RawConnection.Chunk(""));
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.EndsWith("\"data\":[1,2,3,4]}]}", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_chunk_is_an_incomplete_body()
    {
        var answer = await RawConnection.AskAsync(
            _server.Address, RawConnection.InferHead("echo", "Transfer-Encoding: chunked\r\n") + "5\r\n{\"inp\r\nzz\r\n");
        Assert.StartsWith("HTTP/1.1 4", answer, StringComparison.Ordinal);
        await _server.AssertAliveAsync();
    }

    [Fact]
    public async Task A_body_of_exactly_the_limit_is_taken()
    {
        var reply = await _server.InferAsync("echo", Padded(BodyMax));
        Assert.True(reply.Status == 200, reply.Text);
    }

    [Fact]
    public async Task A_body_announced_too_large_is_refused_unread_and_the_connection_closes()
    {
        using var connection = await RawConnection.OpenAsync(_server.Address);
        await connection.SendAsync(RawConnection.InferHead("echo", $"Content-Length: {BodyMax + 1}\r\n", close: false));

        // Not one byte of the body was sent, and the answer is there.
        var answer = await connection.ReadUntilAsync("server.bodyBytesMax.\"}");

        Assert.StartsWith("HTTP/1.1 413", answer, StringComparison.Ordinal);
        Assert.Contains("65,537 bytes or more; at most 65,536 are taken", answer, StringComparison.Ordinal);
        Assert.Contains("Connection: close", answer, StringComparison.Ordinal);
        await _server.AssertAliveAsync();
    }

    [Fact]
    public async Task A_body_that_turns_out_too_large_chunk_by_chunk_is_refused_and_the_connection_closes()
    {
        using var connection = await RawConnection.OpenAsync(_server.Address);
        await connection.SendAsync(RawConnection.InferHead("echo", "Transfer-Encoding: chunked\r\n", close: false));
        var chunk = RawConnection.Chunk(new string(' ', 16 * 1024));
        for (var i = 0; i < 5; i++)
            await connection.SendAsync(chunk);
        var answer = await connection.ReadUntilAsync("server.bodyBytesMax.\"}");
        Assert.StartsWith("HTTP/1.1 413", answer, StringComparison.Ordinal);
        Assert.Contains("Connection: close", answer, StringComparison.Ordinal);
        await _server.AssertAliveAsync();
    }

    [Fact]
    public async Task A_client_that_announces_more_than_it_sends_is_recorded_and_costs_nothing()
    {
        using (var connection = await RawConnection.OpenAsync(_server.Address))
        {
            await connection.SendAsync(RawConnection.InferHead("echo", "X-Request-Id: short\r\nContent-Length: 1000\r\n") + "{\"inputs\":");
            connection.EndSending();
            await connection.ReadToEndAsync();
        }

        var record = await _server.RecordAsync("short");
        Assert.Contains(record.GetProperty("outcome").GetString(), new[] { "input_incomplete", "cancelled" });
        await AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_client_that_vanishes_inside_its_body_is_recorded_and_costs_nothing()
    {
        using var connection = await RawConnection.OpenAsync(_server.Address);
        await connection.SendAsync(RawConnection.InferHead("echo", "X-Request-Id: vanished\r\nContent-Length: 1000\r\n") + "{\"inputs\":");
        // The server gives it up after five seconds by itself, which may be before anybody looks.
        await TestServer.UntilAsync(async () => (await ServerAsync("in_flight")) == 1
            || (await _server.GetAsync("/admin/v1/requests/vanished")).Status == 200);
        connection.Reset();
        var record = await _server.RecordAsync("vanished");
        Assert.Contains(record.GetProperty("outcome").GetString(), new[] { "input_incomplete", "cancelled" });
        await AssertNothingHeldAsync();
    }

    [Fact]
    public async Task More_request_bytes_at_once_than_the_server_holds_are_a_503_that_passes()
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder(
            "bodyBytesMax: 65536, bodyBytesInFlightMax: 100000", ("echo", TestServer.Simulated())));
        using (var first = await RawConnection.OpenAsync(server.Address))
        {
            // The first keeps its room by never sending its last byte.
            await first.SendAsync(RawConnection.InferHead("echo", "Content-Length: 60001\r\n") + new string(' ', 60_000));
            await TestServer.UntilAsync(async () =>
                (await server.GetAsync("/admin/v1/server")).Json.GetProperty("body_bytes_held").GetInt64() >= 60_000);

            (await server.InferAsync("echo", Padded(60_000), ("X-Request-Id", "second"))).Is(
                503, "server_full", "request bytes of 100,000", "server.bodyBytesInFlightMax");
            Assert.Equal("refused_server_full", MetadataTests.Decisions(await server.RecordAsync("second")).Last());
        }

        await TestServer.UntilAsync(async () => (await server.InferAsync("echo", Padded(60_000))).Status == 200);
    }

    [Fact]
    public async Task Slow_bodies_slow_headers_and_idle_connections_end_by_limits_that_are_set()
    {
        await using var app = Spillway.App.Hosting.Server.Build(
            Spillway.Config.Snapshot.From(
                Spillway.Config.ConfigLoader.Load(
                    Path.Combine(Tests.Config.ConfigFolder.Repository, "samples", "simulated", "spillway.yaml"),
                    Spillway.App.Hosting.Composition.RuntimeOptions, new Dictionary<string, string>()),
                number: 1, DateTimeOffset.UnixEpoch), out var serving);
        await using (serving)
        {
            var limits = app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits;
            Assert.NotNull(app.Services.GetRequiredService<IServer>());
            Assert.Equal((240, 5), (limits.MinRequestBodyDataRate!.BytesPerSecond, limits.MinRequestBodyDataRate.GracePeriod.TotalSeconds));
            Assert.Equal((240, 5), (limits.MinResponseDataRate!.BytesPerSecond, limits.MinResponseDataRate.GracePeriod.TotalSeconds));
            Assert.Equal((30, 130), (limits.RequestHeadersTimeout.TotalSeconds, limits.KeepAliveTimeout.TotalSeconds));
            Assert.Equal((32 * 1024, 100), (limits.MaxRequestHeadersTotalSize, limits.MaxRequestHeaderCount));
            Assert.Equal(512, limits.MaxConcurrentConnections);
        }
    }

    [Fact]
    public async Task A_body_that_trickles_is_given_up_with_a_408_that_says_so()
    {
        // Kestrel's own five seconds of grace make this the one slow test here: its clock cannot be replaced.
        using var connection = await RawConnection.OpenAsync(_server.Address);
        await connection.SendAsync(RawConnection.InferHead("echo", "Content-Length: 1000\r\n") + "{");
        var answer = await connection.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Contains("X-Spillway-Fault: input_incomplete", answer, StringComparison.Ordinal);
        Assert.Contains("too slowly", answer, StringComparison.Ordinal);
        await _server.AssertAliveAsync();
    }

    [Fact]
    public async Task Connections_above_the_limit_are_closed_and_those_below_go_on()
    {
        await using var server = await TestServer.StartAsync(TestServer.Folder("connectionsMax: 2", ("echo", TestServer.Simulated())));
        await server.AssertAliveAsync();
        using var second = await RawConnection.OpenAsync(server.Address);
        await second.SendAsync("GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", await second.ReadUntilAsync("\"live\":true}"), StringComparison.Ordinal);
        Assert.Equal("", await RawConnection.AskAsync(server.Address, "GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        await server.AssertAliveAsync();
    }

    [Fact]
    public async Task Two_requests_in_one_packet_are_both_answered_in_order()
    {
        var body = TestServer.Row();
        var one = RawConnection.InferHead("echo", $"X-Request-Id: first\r\nContent-Length: {body.Length}\r\n", close: false) + body;
        var answers = await RawConnection.AskAsync(_server.Address, one + one.Replace("first", "second", StringComparison.Ordinal)
            .Replace("Host:", "Connection: close\r\nHost:", StringComparison.Ordinal));
        Assert.InRange(answers.IndexOf("X-Request-Id: first", StringComparison.Ordinal), 0, answers.IndexOf("X-Request-Id: second", StringComparison.Ordinal));
        Assert.Equal(3, answers.Split("HTTP/1.1 200").Length);
    }

    private async Task<long> ServerAsync(string figure) =>
        (await _server.GetAsync("/admin/v1/server")).Json.GetProperty(figure).GetInt64();

    private async Task AssertNothingHeldAsync()
    {
        await _server.AssertAliveAsync();
        await TestServer.UntilAsync(async () => await ServerAsync("in_flight") == 0 && await ServerAsync("body_bytes_held") == 0);
    }
}

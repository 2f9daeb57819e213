using System.Text;
using System.Text.Json;
using Spillway.App.Cli;
using Spillway.App.Cli.Top;
using Spillway.Tests.App.Load;
using Spillway.Tests.Server;

namespace Spillway.Tests.App.Cli.Top;

/// <summary>Asking a server that comes, goes, and comes back as another process.</summary>
public sealed class TopSessionTests
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task A_restart_is_a_wait_and_then_figures_again()
    {
        var polls = 0;
        await using var server = new ScriptedServer(request =>
        {
            if (request.Head.StartsWith("GET /metrics", StringComparison.Ordinal))
                polls++;
            // The third and fourth poll are refused; afterwards another process answers, which counts from zero.
            return Task.FromResult<byte[]?>(
                polls is 3 or 4 ? OtlpSink.Status(503) : ScriptedServer.Ok(Page(request.Head, polls)));
        });
        using var stop = new CancellationTokenSource();
        var output = new Lines(stop, most: 4);
        var session = new TopSession(new(new(server.Url, Key: ""), TimeProvider.System), s_interval,
            TimeProvider.System);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => session.RunLinesAsync(output, new(), json: true, once: false, stop.Token));

        var lines = output.ToString().TrimEnd('\n').Split('\n').Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal([false, true, true, false], lines.Select(line => line.TryGetProperty("waiting", out _)));
        Assert.StartsWith(
            $"waiting for {server.Url}: ", lines[1].GetProperty("waiting").GetString(), StringComparison.Ordinal);
        var rates = new[] { lines[0], lines[3] }.Select(
            line => line.GetProperty("models")[0].GetProperty("requests_per_second").GetDouble());
        Assert.All(rates, rate => Assert.True(rate > 0));
    }

    [Theory]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<html>no<", "is it a Spillway?")]
    public async Task Something_else_at_the_address_is_a_sentence(string answer, string says)
    {
        await using var server = new ScriptedServer(_ => Task.FromResult<byte[]?>(Encoding.ASCII.GetBytes(answer)));
        using var poller = new TopPoller(new(server.Url, Key: ""), TimeProvider.System);
        var poll = await poller.PollAsync(default);
        Assert.Null(poll.Reading);
        Assert.Contains(says, poll.Waiting, StringComparison.Ordinal);

        var once = new TopSession(poller, s_interval, TimeProvider.System);
        var error = await Assert.ThrowsAsync<CommandException>(
            () => once.RunLinesAsync(TextWriter.Null, new(), json: false, once: true, default));
        Assert.Contains("spillway up", error.Message, StringComparison.Ordinal);
    }

    private static string Page(string head, int polls)
    {
        if (head.Contains("/admin/v1/server", StringComparison.Ordinal))
            return """{"name":"s","version":"1","ready":true,"stopping":false,"in_flight":0,"body_bytes_held":0}""";
        if (head.Contains("/admin/v1/models", StringComparison.Ordinal))
            return """{"models":[{"name":"m","version":"1","deployment":"m","state":"READY"}]}""";
        return $"process_start_time_seconds {(polls < 3 ? 100 : 200)}\n"
            + $"spillway_requests_total{{model=\"m\",version=\"1\",outcome=\"ok\"}} {(polls < 3 ? 1000 : 0) + polls}\n";
    }

    /// <summary>Ends what writes to it after so many lines.</summary>
    private sealed class Lines(CancellationTokenSource stop, int most) : StringWriter
    {
        private int _written;

        public override void Write(string? value)
        {
            base.Write(value);
            if (++_written == most)
                stop.Cancel();
        }
    }
}

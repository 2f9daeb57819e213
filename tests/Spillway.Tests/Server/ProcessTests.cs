using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Spillway.Tests.Server;

/// <summary>`spillway up` as a process: signals, a taken port, a wrong configuration.</summary>
public sealed class ProcessTests
{
    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_signal_under_load_answers_everything_accepted_and_exits_with_0(string signal)
    {
        // A run takes 4 s: longer than what a signal handler of the command line's library would wait by itself.
        using var folder = TestServer.Folder("", ("echo", TestServer.Simulated("{ 1: 4000 }", more: "batching: { runners: 4, batchRowsMax: 1 }")));
        await using var child = ChildProcess.Spillway(["up", folder.Root]);
        var server = await AddressAsync(child);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = server, Timeout = TestServer.Patience };
        var accepted = await FourUnderWayAsync(http);

        await child.SignalAsync(signal);

        await TestServer.UntilAsync(async () => await IsRefusedAsync(http));
        foreach (var answer in await Task.WhenAll(accepted))
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Contains("\"data\":[1,2,3,4]", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        var (code, output, errors) = await child.EndAsync();
        Assert.True(code == 0, $"{code}: {output}{errors}");
        Assert.Contains("\nDrained", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drain_that_takes_too_long_cuts_the_rest_off_and_still_exits()
    {
        using var folder = TestServer.Folder("drainMs: 100", ("echo", TestServer.Simulated("{ 1: 600000 }")));
        await using var child = ChildProcess.Spillway(["up", folder.Root]);
        var server = await AddressAsync(child);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = server, Timeout = TestServer.Patience };
        var running = http.PostAsync("/v2/models/echo/infer", Row());
        await TestServer.UntilAsync(async () =>
            (await http.GetStringAsync("/admin/v1/models")).Contains("\"active_runs\":1", StringComparison.Ordinal));

        await child.SignalAsync("TERM");

        await Assert.ThrowsAsync<HttpRequestException>(() => running);
        var (code, output, errors) = await child.EndAsync();
        Assert.True(code == 0, $"{code}: {output}{errors}");
    }

    [Fact]
    public async Task A_signal_while_models_load_ends_the_server()
    {
        using var folder = TestServer.Folder("", ("echo", TestServer.Simulated().Replace(
            "simulated:\n", "simulated:\n  loadMs: 3600000\n", StringComparison.Ordinal)));
        await using var child = ChildProcess.Spillway(["up", folder.Root]);
        Assert.Contains("loading echo", await child.LineAsync("Spillway "), StringComparison.Ordinal);
        await child.SignalAsync("TERM");
        var (code, output, errors) = await child.EndAsync();
        Assert.True(code == 0, $"{code}: {output}{errors}");
        Assert.DoesNotContain("ready", output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_taken_port_is_a_clear_sentence_and_exit_code_1()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var folder = TestServer.Folder("", ("echo", TestServer.Simulated()));
        await using var child = ChildProcess.Spillway(["up", folder.Root], ("SPILLWAY__SERVER__PORT", $"{port}"));
        var (code, output, errors) = await child.EndAsync();
        Assert.Equal(1, code);
        Assert.StartsWith($"Cannot listen on 127.0.0.1:{port}:", errors, StringComparison.Ordinal);
        Assert.Contains("SPILLWAY__SERVER__PORT=", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output + errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_gRPC_port_is_a_sentence_of_its_own()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var folder = TestServer.Folder($"grpcPort: {port}", ("echo", TestServer.Simulated()));
        await using var child = ChildProcess.Spillway(["up", folder.Root]);
        var (code, output, errors) = await child.EndAsync();
        Assert.Equal(1, code);
        Assert.StartsWith($"Cannot listen on 127.0.0.1:{port}:", errors, StringComparison.Ordinal);
        Assert.Contains("SPILLWAY__SERVER__GRPCPORT=", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output + errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_ready_line_names_both_ports()
    {
        using var folder = TestServer.Folder("", ("echo", TestServer.Simulated()));
        await using var child = ChildProcess.Spillway(["up", folder.Root]);
        Assert.Matches(
            @"^Ready: echo \(gRPC 127\.0\.0\.1:\d+\) on http://127\.0\.0\.1:\d+$", await child.LineAsync("Ready: "));
        await child.SignalAsync("TERM");
        Assert.Equal(0, (await child.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task An_invalid_configuration_lists_every_mistake_and_exits_with_2()
    {
        using var folder = TestServer.Folder("portt: 1, drainMs: -5", ("echo", TestServer.Simulated(more: "batching: { queueLengthMx: 4 }")));
        var (code, output, errors) = await ChildProcess.RunAsync("up", folder.Root);
        Assert.Equal(2, code);
        Assert.All(new[] { "portt", "drainMs", "-5", "queueLengthMx", "queueLengthMax" }, w => Assert.Contains(w, errors, StringComparison.Ordinal));
        Assert.DoesNotContain("listens on", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_that_is_not_there_is_named()
    {
        using var folder = new Tests.Config.ConfigFolder();
        var (code, _, errors) = await ChildProcess.RunAsync("up", folder.PathOf("nowhere"));
        Assert.Equal(2, code);
        Assert.Contains("nowhere", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_does_not_load_is_announced_and_the_server_runs()
    {
        using var folder = TestServer.Folder("", ("echo", TestServer.Simulated()), ("bad", "runtime: onnx\n"));
        File.WriteAllText(folder.PathOf("bad/model.onnx"), "no model");
        await using var child = ChildProcess.Spillway(["up", folder.Root]);
        Assert.StartsWith("NOT ready: bad", await child.LineAsync("NOT ready"), StringComparison.Ordinal);
        Assert.StartsWith("Ready: echo", await child.LineAsync("Ready"), StringComparison.Ordinal);
        await child.SignalAsync("TERM");
        Assert.Equal(0, (await child.EndAsync()).ExitCode);
    }

    /// <summary>Where a started server listens, once it is ready.</summary>
    internal static async Task<Uri> AddressAsync(ChildProcess child) => new((await child.LineAsync("Ready: ")).Split(" on ")[1]);

    /// <summary>Four requests that run together; four others where they were over before anybody looked.</summary>
    private static async Task<List<Task<HttpResponseMessage>>> FourUnderWayAsync(HttpClient http)
    {
        for (var tries = 0; ; tries++)
        {
            Assert.True(tries < 20, "Four requests were never under way together.");
            var asked = Enumerable.Range(0, 4).Select(_ => http.PostAsync("/v2/models/echo/infer", Row())).ToList();
            var run = false;
            await TestServer.UntilAsync(async () =>
            {
                run = (await http.GetStringAsync("/admin/v1/models"))
                    .Contains("\"active_runs\":4", StringComparison.Ordinal);
                return run || asked.TrueForAll(a => a.IsCompleted);
            });
            if (run)
                return asked;
        }
    }

    private static StringContent Row() => new(TestServer.Row(), Encoding.UTF8, "application/json");

    /// <summary>A new request is refused as the server stops, or the server no longer listens.</summary>
    private static async Task<bool> IsRefusedAsync(HttpClient http)
    {
        try
        {
            using var patience = new CancellationTokenSource(TestServer.Patience);
            using var live = await http.GetAsync("/v2/health/ready", patience.Token);
            return live.StatusCode is HttpStatusCode.ServiceUnavailable;
        }
        catch (HttpRequestException)
        {
            return true;
        }
    }
}

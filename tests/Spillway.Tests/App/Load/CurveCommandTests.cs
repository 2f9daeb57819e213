using System.CommandLine;
using System.Text.Json;
using System.Xml.Linq;
using Spillway.App.Load;

namespace Spillway.Tests.App.Load;

public sealed class CurveCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("spillway-curve").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_sweep_reports_each_rate_draws_it_and_writes_csv_and_svg()
    {
        await using var server = ScriptedServer.Always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        var (csv, svg) = (Path.Combine(_folder, "c.csv"), Path.Combine(_folder, "c.svg"));
        string[] line = ["--server", server.Url, "--model", "m", "--sweep", "100,200", "--duration", "200ms",
            "--warmup", "0", "--csv", csv, "--plot", svg];

        var text = await RunAsync(line);
        var json = await RunAsync([.. line, "--json"]);

        Assert.Equal(0, text.Exit);
        Assert.Contains("requests/s", text.Output, StringComparison.Ordinal);
        var steps = JsonDocument.Parse(json.Output).RootElement.GetProperty("endpoints")[0].GetProperty("steps");
        Assert.Equal((double[])[100, 200], steps.EnumerateArray().Select(s => s.GetProperty("rate").GetDouble()));
        Assert.All(steps.EnumerateArray(), s => Assert.True(s.GetProperty("ok").GetInt64() > 0));
        Assert.Equal(3, (await File.ReadAllLinesAsync(csv)).Length);
        Assert.Equal("svg", XDocument.Load(svg).Root!.Name.LocalName);
    }

    [Fact]
    public async Task A_step_lasts_its_whole_time_also_when_its_last_request_was_long_before()
    {
        await using var server = ScriptedServer.Always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

        var run = await RunAsync("--server", server.Url, "--model", "m", "--sweep", "5", "--arrivals", "constant",
            "--duration", "350ms", "--warmup", "0", "--json");

        var step = JsonDocument.Parse(run.Output).RootElement.GetProperty("endpoints")[0].GetProperty("steps")[0];
        Assert.Equal(0.35, step.GetProperty("seconds").GetDouble(), 6);
    }

    [Fact]
    public async Task A_search_against_a_server_that_refuses_everything_finds_no_rate_and_fails()
    {
        await using var server = ScriptedServer.Always("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nfull");

        var run = await RunAsync("--server", server.Url, "--model", "m", "--find-max", "--p50", "5s", "--warmup", "0");

        Assert.Equal(1, run.Exit);
        Assert.Contains("503 full", run.Error, StringComparison.Ordinal);
        Assert.Contains("--requests 1", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_search_ends_with_a_confirming_run_and_says_how_sure_it_is()
    {
        // Three places of 20 ms each: a flood is refused at once, so that more than half of it breaks a median.
        var places = 3;
        await using var server = new ScriptedServer(async r =>
        {
            if (r.Head.StartsWith("GET", StringComparison.Ordinal))
                return ScriptedServer.Ok(ScriptedServer.Metadata);
            var mine = Interlocked.Decrement(ref places) >= 0;
            if (mine)
                await ScriptedServer.WorkAsync(TimeSpan.FromMilliseconds(20));
            Interlocked.Increment(ref places);
            return mine ? ScriptedServer.Ok() : "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"u8.ToArray();
        });

        var run = await RunAsync("--server", server.Url, "--model", "m", "--find-max", "--p50", "20s", "--rate", "50",
            "--warmup", "0", "--step-max", "500ms", "--resolution", "100%", "--json");

        Assert.Equal(0, run.Exit);
        var endpoint = JsonDocument.Parse(run.Output).RootElement.GetProperty("endpoints")[0];
        var max = endpoint.GetProperty("max");
        Assert.Equal("p50 ≤ 20000 ms", max.GetProperty("bounds")[0].GetString());
        Assert.Equal(0.99, max.GetProperty("confidence").GetDouble());
        Assert.True(max.GetProperty("confirmed").GetBoolean());
        var steps = endpoint.GetProperty("steps").EnumerateArray().ToList();
        Assert.Equal("confirm", steps[^1].GetProperty("kind").GetString());
        Assert.Equal("holds", steps[^1].GetProperty("verdict").GetString());
        Assert.Equal(max.GetProperty("rate").GetDouble(), steps[^1].GetProperty("rate").GetDouble());
        Assert.Contains(steps, s => s.GetProperty("verdict").GetString() != "holds");
    }

    [Fact]
    public async Task Two_servers_are_compared_in_turns_with_an_interval_and_a_regression_is_exit_code_3()
    {
        // Slower than the slowest request of the fast one, whatever this machine makes of that.
        var (last, longest) = (0L, TimeSpan.Zero);
        await using var fast = new ScriptedServer(_ =>
        {
            if (last > 0 && TimeProvider.System.GetElapsedTime(last) is var took && took > longest)
                longest = took;
            last = TimeProvider.System.GetTimestamp();
            return Task.FromResult<byte[]?>(ScriptedServer.Ok(ScriptedServer.Metadata));
        });
        await using var slow = new ScriptedServer(async r =>
        {
            last = 0;
            if (r.Head.StartsWith("POST", StringComparison.Ordinal))
                await ScriptedServer.WorkAsync(TimeSpan.FromMilliseconds(60) + (2 * longest));
            return ScriptedServer.Ok(ScriptedServer.Metadata);
        });
        string[] common = ["--model", "m", "--requests", "5", "--rounds", "6", "--warmup", "0", "--json"];

        var run = await RunAsync(["--compare", $"a={fast.Url}", $"b={slow.Url}", .. common]);

        Assert.Equal(3, run.Exit);
        var comparison = JsonDocument.Parse(run.Output).RootElement.GetProperty("comparisons")[0];
        Assert.Equal("b", comparison.GetProperty("endpoint").GetString());
        var p50 = comparison.GetProperty("figures").EnumerateArray()
            .Single(f => f.GetProperty("figure").GetString() == "p50");
        Assert.Equal("worse", p50.GetProperty("verdict").GetString());
        Assert.Equal(0.96875, p50.GetProperty("confidence").GetDouble(), 9);

        // The same report is a baseline: against itself a slow server has not become worse.
        var saved = Path.Combine(_folder, "saved.json");
        await File.WriteAllTextAsync(saved, run.Output);
        var again = await RunAsync(["--server", $"a={slow.Url}", "--baseline", saved, .. common]);
        Assert.Equal(3, again.Exit);
        var same = await RunAsync(["--server", $"b={slow.Url}", "--baseline", saved, "--tolerance", "100%", .. common]);
        Assert.Equal(0, same.Exit);
    }

    [Fact]
    public async Task Raw_requests_say_that_their_deadline_is_not_sent()
    {
        await using var server = ScriptedServer.Always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        var file = Path.Combine(_folder, "x.bin");
        await File.WriteAllTextAsync(file, "x");

        var run = await RunAsync("--server", server.Url, "--model", "m", "--raw", file, "--deadline", "50",
            "--requests", "1", "--warmup", "0");

        Assert.Contains("the deadline was counted and not sent", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--find-max", "--find-max needs a bound")]
    [InlineData("--p99 50ms", "--find-max do not go together. Add --find-max")]
    [InlineData("--find-max --p99 50ms --sweep 1,2", "--find-max and --sweep")]
    [InlineData("--find-max --p99 50ms --concurrency 4", "--find-max and --concurrency")]
    [InlineData("--find-max --p99 50ms --confidence 120%", "--confidence '120%' is not a share")]
    [InlineData("--find-max --p99 50ms --confidence 10%", "--confidence 10% is out of range")]
    [InlineData("--find-max --p99 50ms --resolution 0", "--resolution 0% is out of range")]
    [InlineData("--find-max --p99 soon", "--p99 'soon' is not a time")]
    [InlineData("--find-max --goodput 100%", "cannot be shown by counting")]
    [InlineData("--find-max --p99 50ms --step-max 10ms", "too short for a step")]
    [InlineData("--sweep 5..1", "--sweep '5..1' is not a list of rates")]
    [InlineData("--sweep 1,x", "is not a list of rates")]
    [InlineData("--sweep 1..9:999", "at most 50 rates")]
    [InlineData("--plot x.svg", "--plot without --find-max or --sweep")]
    [InlineData("--sweep 1,2 --plot x.png", "is not an .svg file")]
    [InlineData("--tolerance 5%", "--tolerance without --compare")]
    [InlineData("--compare http://127.0.0.1:1", "--compare and a single server")]
    [InlineData("--baseline /nowhere/b.json", "--baseline '/nowhere/b.json' does not exist")]
    public async Task Wrong_usage_is_exit_code_2_and_names_the_remedy(string line, string expected)
    {
        await using var server = ScriptedServer.Always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

        var run = await RunAsync(["--server", server.Url, "--model", "m", .. line.Split(' ')]);

        Assert.Equal(2, run.Exit);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var exit = await LoadCommand.Create().Parse(arguments)
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
        return (exit, output.ToString(), error.ToString());
    }
}

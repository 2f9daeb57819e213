using System.Buffers.Binary;
using System.CommandLine;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Spillway.App.Load;

namespace Spillway.Tests.App.Load;

/// <summary>The command as a user runs it. This file is long because each of its flags has its own test.</summary>
public sealed class LoadCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("spillway-load").FullName;

    private sealed record Result(int Exit, string Output, string Error)
    {
        public JsonElement Json => JsonDocument.Parse(Output).RootElement;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_run_reports_counts_latencies_stages_and_goodput_as_json()
    {
        await using var server = new ScriptedServer(r => Task.FromResult<byte[]?>(
            r.Head.StartsWith("GET", StringComparison.Ordinal) ? ScriptedServer.Ok(ScriptedServer.Metadata)
            : r.Number % 5 == 0 ? Encoding.ASCII.GetBytes("HTTP/1.1 503 Busy\r\nx-spillway-fault: queue_full\r\n"
                + "retry-after-ms: 7\r\nContent-Length: 16\r\n\r\n{\"error\":\"full\"}")
            : ScriptedServer.Ok("{}", "Server-Timing: queue;dur=0.01, total;dur=0.02\r\n")));

        var run = await RunAsync("--server", server.Url, "--model", "m", "--requests", "100", "--warmup", "0",
            "--json");

        Assert.Equal(0, run.Exit);
        var endpoint = run.Json.GetProperty("endpoints")[0];
        Assert.Equal(5000, endpoint.GetProperty("deadline_ms").GetDouble());
        Assert.Equal("model metadata", endpoint.GetProperty("deadline_source").GetString());
        var total = endpoint.GetProperty("total");
        var counts = total.GetProperty("counts");
        Assert.Equal(100, counts.GetProperty("offered").GetInt64());
        Assert.Equal(100, counts.GetProperty("completed").GetInt64());
        Assert.Equal(80, counts.GetProperty("ok").GetInt64());
        Assert.Equal(0.8, counts.GetProperty("goodput_share").GetDouble(), 9);
        var refusal = Assert.Single(counts.GetProperty("refusals").EnumerateArray());
        Assert.Equal("503 queue_full", refusal.GetProperty("reason").GetString());
        Assert.Equal(20, refusal.GetProperty("count").GetInt64());
        Assert.Equal(7, refusal.GetProperty("retry_after_ms").GetInt64());
        Assert.Equal("{\"error\":\"full\"}", refusal.GetProperty("example").GetString());
        Assert.Equal(["queue", "total"], total.GetProperty("stages").EnumerateArray()
            .Select(s => s.GetProperty("name").GetString()!));
        foreach (var name in (string[])["mean", "p50", "p90", "p95", "p99", "p99_9", "max"])
            Assert.True(counts.GetProperty("latency").GetProperty(name).GetDouble() > 0, name);
        Assert.True(total.GetProperty("network").GetProperty("p50").GetDouble() >= 0);
    }

    [Fact]
    public async Task Two_endpoints_take_turns_and_are_compared_round_by_round()
    {
        var order = new ConcurrentQueue<string>();
        await using var server = new ScriptedServer(r =>
        {
            if (r.Head.StartsWith("POST", StringComparison.Ordinal))
                order.Enqueue(r.Head.Split(' ')[1]);
            return Task.FromResult<byte[]?>(ScriptedServer.Ok(ScriptedServer.Metadata));
        });

        var run = await RunAsync("--server", server.Url, "--model", "a", "--model", "b", "--requests", "3",
            "--rounds", "2",
            "--warmup", "0", "--json");

        Assert.Equal(0, run.Exit);
        string[] turns = ["a", "a", "a", "b", "b", "b", "a", "a", "a", "b", "b", "b"];
        Assert.Equal(turns.Select(t => $"/v2/models/{t}/infer"), order);
        Assert.Equal(1, run.Json.GetProperty("ratios").GetArrayLength());
        Assert.Equal(2, run.Json.GetProperty("endpoints")[1].GetProperty("rounds").GetArrayLength());
    }

    [Fact]
    public async Task A_binary_request_carries_its_header_length_deadline_and_tensor()
    {
        ScriptedServer.Request? seen = null;
        await using var server = new ScriptedServer(r =>
        {
            seen = r;
            return Task.FromResult<byte[]?>(ScriptedServer.Ok(ScriptedServer.Metadata));
        });
        var file = Path.Combine(_folder, "x.bin");
        byte[] tensor = [.. Enumerable.Range(0, 8).SelectMany(i => BitConverter.GetBytes((float)i))];
        await File.WriteAllBytesAsync(file, tensor);

        await RunAsync("--server", server.Url, "--model", "m", "--requests", "1", "--warmup", "0", "--input",
            $"x={file}",
            "--shape", "x=2,4", "--deadline", "12.5", "--priority", "2", "--header", "X-Mine: 1");

        Assert.Contains("X-Mine: 1", seen!.Head, StringComparison.Ordinal);
        var header = seen.Head.Split("\r\n").Single(l => l.StartsWith("Inference-Header", StringComparison.Ordinal));
        var length = int.Parse(header.Split(": ")[1], CultureInfo.InvariantCulture);
        Assert.Equal(tensor, seen.Body[length..]);
        var json = JsonDocument.Parse(seen.Body.AsMemory(0, length)).RootElement;
        Assert.Equal(12_500, json.GetProperty("parameters").GetProperty("timeout").GetInt64());
        Assert.Equal(2, json.GetProperty("parameters").GetProperty("priority").GetInt32());
        Assert.True(json.GetProperty("parameters").GetProperty("binary_data_output").GetBoolean());
        Assert.Equal("[2,4]", json.GetProperty("inputs")[0].GetProperty("shape").GetRawText());
        Assert.Equal(32,
            json.GetProperty("inputs")[0].GetProperty("parameters").GetProperty("binary_data_size").GetInt32());
    }

    [Fact]
    public async Task A_range_in_a_shape_gives_requests_of_mixed_lengths_within_it()
    {
        var rows = new ConcurrentQueue<int>();
        await using var server = new ScriptedServer(r =>
        {
            if (r.Body.Length > 0)
            {
                var input = JsonDocument.Parse(r.Body).RootElement.GetProperty("inputs")[0];
                rows.Enqueue(input.GetProperty("shape")[0].GetInt32());
            }

            return Task.FromResult<byte[]?>(ScriptedServer.Ok(ScriptedServer.Metadata));
        });

        await RunAsync("--server", server.Url, "--model", "m", "--requests", "60", "--warmup", "0", "--format", "json",
            "--shape", "x=5..20,4", "--variants", "40");

        Assert.All(rows, count => Assert.InRange(count, 5, 20));
        Assert.True(rows.Distinct().Count() > 5, string.Join(' ', rows));
    }

    [Fact]
    public async Task Json_and_raw_requests_carry_the_same_values()
    {
        var seen = new ConcurrentQueue<ScriptedServer.Request>();
        await using var server = new ScriptedServer(r =>
        {
            seen.Enqueue(r);
            return Task.FromResult<byte[]?>(ScriptedServer.Ok(ScriptedServer.Metadata));
        });
        var file = Path.Combine(_folder, "x.bin");
        var tensor = new byte[16];
        BinaryPrimitives.WriteSingleLittleEndian(tensor, 1.5f);
        await File.WriteAllBytesAsync(file, tensor);
        string[] common = ["--server", server.Url, "--model", "m", "--requests", "1", "--warmup", "0"];

        await RunAsync([.. common, "--input", $"x={file}", "--format", "json"]);
        await RunAsync([.. common, "--raw", file, "--output-format", "json"]);

        var (json, raw) = (seen.ElementAt(1), seen.ElementAt(3));
        Assert.Contains("\"data\":[1.5,0,0,0]", Encoding.UTF8.GetString(json.Body), StringComparison.Ordinal);
        Assert.Contains("Inference-Header-Content-Length: 0\r\nAccept: application/json", raw.Head,
            StringComparison.Ordinal);
        Assert.Equal(tensor, raw.Body);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true, "closed before the answer was complete")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", false, "timed out")]
    [InlineData("SMTP hello\r\n\r\n", false, "malformed answer")]
    [InlineData(null, false, "closed before the answer was complete")]
    public async Task Half_and_wrong_answers_are_transport_errors_and_a_failed_run(
        string? answer, bool closing, string expected)
    {
        var bytes = answer is null ? null : Encoding.ASCII.GetBytes(answer);
        await using var server = new ScriptedServer(_ => Task.FromResult(bytes), closing);

        var run = await RunAsync("--server", server.Url, "--path", "/x", "--body", Body(), "--requests", "2",
            "--warmup", "0",
            "--timeout", expected == "timed out" ? "300ms" : "60s", "--json");

        Assert.Equal(1, run.Exit);
        var errors =
            run.Json.GetProperty("endpoints")[0].GetProperty("total").GetProperty("counts").GetProperty("errors");
        var kind = Assert.Single(errors.EnumerateArray()).GetProperty("kind").GetString();
        Assert.Equal(expected, kind);
    }

    [Fact]
    public async Task An_answer_that_closes_its_connection_is_ok_and_the_next_request_reconnects()
    {
        await using var server =
            ScriptedServer.Always("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");

        var run = await RunAsync("--server", server.Url, "--path", "/x", "--body", Body(), "--requests", "5",
            "--warmup", "0",
            "--concurrency", "2", "--json");

        Assert.Equal(0, run.Exit);
        Assert.Equal(5, run.Json.GetProperty("endpoints")[0].GetProperty("total").GetProperty("counts")
            .GetProperty("ok").GetInt32());
    }

    [Fact]
    public async Task The_csv_has_one_line_per_measured_request_and_the_text_shows_tables_without_escapes()
    {
        await using var server = ScriptedServer.Always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        var csv = Path.Combine(_folder, "out.csv");

        var run = await RunAsync("--server", server.Url, "--model", "m", "--rate", "2000", "--phases",
            "1x:100ms,2x:50ms",
            "--warmup", "50ms", "--csv", csv);

        Assert.Equal(0, run.Exit);
        Assert.DoesNotContain('\u001b', run.Output);
        Assert.Contains("latency of ok", run.Output, StringComparison.Ordinal);
        Assert.Contains("2: 2x 0.05 s", run.Output, StringComparison.Ordinal);
        var lines = await File.ReadAllLinesAsync(csv);
        Assert.StartsWith("endpoint,round,phase,scheduled_s", lines[0], StringComparison.Ordinal);
        Assert.All(lines.Skip(1), l => Assert.Equal(9, l.Split(',').Length));
        Assert.InRange(lines.Length, 100, 1000);
    }

    [Fact]
    public async Task An_interrupted_run_prints_what_it_has_and_exits_130()
    {
        using var stop = new CancellationTokenSource();
        await using var server = new ScriptedServer(async r =>
        {
            if (r.Number == 20)
                await stop.CancelAsync();
            return ScriptedServer.Ok(ScriptedServer.Metadata);
        });
        var output = new StringWriter();

        var exit = await LoadCommand.RunAsync(
            new() { Servers = [server.Url], Models = ["m"], Duration = "1h", Warmup = "0", Json = true },
            output, TextWriter.Null, stop.Token);

        Assert.Equal(130, exit);
        var json = JsonDocument.Parse(output.ToString()).RootElement;
        Assert.True(json.GetProperty("interrupted").GetBoolean());
        var counts = json.GetProperty("endpoints")[0].GetProperty("total").GetProperty("counts");
        Assert.True(counts.GetProperty("ok").GetInt64() >= 18);
    }

    [Fact]
    public async Task Nobody_listening_is_a_failure_that_says_what_to_do()
    {
        string url;
        await using (var server = ScriptedServer.Always(""))
            url = server.Url;

        var run = await RunAsync("--server", url, "--model", "m");

        Assert.Equal(1, run.Exit);
        Assert.Contains($"Nothing answers at {url}", run.Error, StringComparison.Ordinal);
        Assert.Contains("--server URL", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_model_shows_the_servers_own_words()
    {
        await using var server = new ScriptedServer(_ => Task.FromResult<byte[]?>(Encoding.ASCII.GetBytes(
            "HTTP/1.1 404 Not Found\r\nContent-Length: 31\r\n\r\n{\"error\":\"Request for unknown\"} ")));

        var run = await RunAsync("--server", server.Url, "--model", "nope");

        Assert.Equal(1, run.Exit);
        Assert.Contains("does not describe model 'nope': status 404", run.Error, StringComparison.Ordinal);
        Assert.Contains("Request for unknown", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--rate 0", "--rate 0 is out of range")]
    [InlineData("--rate 5 --concurrency 2", "--concurrency and --rate or --trace do not go together")]
    [InlineData("--arrivals poisson", "--arrivals without --rate")]
    [InlineData("--rate 5 --dispersion 3", "--dispersion without bursts")]
    [InlineData("--rate 5 --phases 0x:1s", "begins with a pause")]
    [InlineData("--rate 5 --phases 1:1s", "'1:1s' is not a phase")]
    [InlineData("--rate 5 --phases 1x:1s --duration 3s", "--phases and --duration")]
    [InlineData("--duration 10x", "--duration '10x' is not a time")]
    [InlineData("--rounds 0", "--rounds 0 is out of range")]
    [InlineData("--format xml", "--format 'xml' is unknown")]
    [InlineData("--trace /nowhere/t.csv", "does not exist")]
    [InlineData("--body /nowhere/b.bin", "--body '/nowhere/b.bin' does not exist")]
    [InlineData("--shape x=1", "--shape x=1 does not fit: input 'x' is [-1,4]")]
    [InlineData("--shape x=20..5,4", "--shape x=20..5,4 does not fit")]
    [InlineData("--shape y=1", "model 'm' has no input 'y'. Its inputs: x.")]
    [InlineData("--shape x=99999999999,4", "larger than 256 MiB")]
    [InlineData("--input x=/nowhere/x.bin", "does not exist")]
    [InlineData("--header nope", "is not a header")]
    [InlineData("--pid 99999999", "no process '99999999'")]
    [InlineData("--server https://x", "plain HTTP")]
    public async Task Wrong_usage_is_exit_code_2_and_names_the_remedy(string line, string expected)
    {
        await using var server = ScriptedServer.Always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

        var run = await RunAsync(["--server", server.Url, "--model", "m", .. line.Split(' ')]);

        Assert.Equal(2, run.Exit);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_a_model_or_path_is_wrong_usage()
    {
        var run = await RunAsync("--server", "http://127.0.0.1:9");

        Assert.Equal(2, run.Exit);
        Assert.Contains("give --model NAME, or --path", run.Error, StringComparison.Ordinal);
    }

    private string Body()
    {
        var path = Path.Combine(_folder, "body.bin");
        File.WriteAllText(path, "hello");
        return path;
    }

    private static async Task<Result> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var exit = await LoadCommand.Create().Parse(arguments)
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
        return new(exit, output.ToString(), error.ToString());
    }
}

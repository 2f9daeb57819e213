using System.Text.Json;
using Spillway.App.Cli;
using Spillway.App.Cli.Diagnosing;
using Spillway.App.Cli.Top;

namespace Spillway.Tests.App.Cli.Diagnosing;

public sealed class DiagnoseCommandTests
{
    [Fact]
    public void Figures_are_read_as_people_write_them()
    {
        var figures = FigureText.Read(Written(("gpu", "95%"), ("latency", "0.5s"), ("throughput", "100"),
            ("stages", "network=40, Queue=180ms,decode=0.1s")))!;
        Assert.Equal(new("gpu", 0.95), Assert.Single(figures.Busy));
        Assert.Equal((500, 100), (figures.LatencyMs, figures.Throughput));
        Assert.Equal([new("network", 40), new("queue", 180), new("decode", 100)], figures.Stages);
        Assert.Equal(double.NaN, figures.Servers);
        Assert.Null(FigureText.Read(Written()));
    }

    [Theory]
    [InlineData("gpu", "much", "--gpu has 'much', which is no number")]
    [InlineData("stages", "queue", "--stages has 'queue'; parts are written as name=milliseconds")]
    [InlineData("latency", "5 parsecs", "--latency has '5 parsecs'")]
    public void What_is_no_figure_is_refused(string name, string text, string message)
    {
        var error = Assert.Throws<CommandException>(() => FigureText.Read(Written((name, text))));
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(Commands.Usage, error.ExitCode);
    }

    [Fact]
    public void Record_of_a_request_names_its_largest_part()
    {
        var (title, report) = DiagnoseSource.Of(JsonElement.Parse("""
            { "id": "7f3a", "model": "line-ocr", "outcome": "ok", "stages": [
              { "stage": "receive", "ms": 0.1 }, { "stage": "queue", "ms": 70.5 },
              { "stage": "execute", "ms": 20.0 } ] }
            """));
        Assert.Equal("request 7f3a of line-ocr: ok", title);
        Assert.Equal("queue", report.Bottleneck);
        Assert.Throws<CommandException>(() => DiagnoseSource.Of(JsonElement.Parse("[]")));
    }

    [Fact]
    public void Busy_runners_of_a_running_server_are_named()
    {
        var state = new ModelState("line-ocr", "1", "line-ocr", "READY", "", Simulated: false, MemoryBytes: 0);
        var frame = new Frame
        {
            Now = new() { At = DateTimeOffset.UnixEpoch, Seconds = 5 },
            Seconds = 5,
            Rows =
            [
                new() { State = state, Rate = 50, OkRate = 45, Busy = 1.9, Runners = 2,
                    Stages = [new("queue", 120, 200), new("execute", 38, 40)] },
                new() { State = state with { Name = "idle" }, Rate = 0 },
            ],
        };
        var (title, report) = Assert.Single(DiagnoseSource.Of(frame));
        Assert.Equal("line-ocr: 50 requests a second, 45 answered", title);
        Assert.Equal("runners", report.Bottleneck);
        Assert.Contains(report.Lines, line => line.Text.Contains("queue takes most", StringComparison.Ordinal));
    }

    [Fact]
    public void Text_wraps_behind_the_words_and_json_has_the_figures()
    {
        var report = DiagnoseCommand.Judge(new() { Stages = [new("queue", 90), new("execute", 10)] });
        var text = DiagnoseText.Plain([("a title", report)]);
        Assert.StartsWith(
            "a title\n\nbottleneck     queue takes most: 90 of 100 ms (90 %).\n", text, StringComparison.Ordinal);
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= 110, line));
        var json = JsonElement.Parse(DiagnoseText.Json([("a title", report)])).GetProperty("diagnoses")[0];
        Assert.Equal("queue", json.GetProperty("bottleneck").GetString());
        Assert.Contains(json.GetProperty("lines").EnumerateArray(), line => line.TryGetProperty("after_ms", out _));
    }

    private static Dictionary<string, string> Written(params (string Name, string Text)[] given)
    {
        string[] names =
        [
            "gpu", "cpu", "network", "disk", "bandwidth", "memory", "latency", "throughput", "servers", "capacity",
            "concurrency", "cost", "stages", "then", "claims",
        ];
        var written = names.ToDictionary(name => name, _ => "");
        foreach (var (name, text) in given)
            written[name] = text;
        return written;
    }
}

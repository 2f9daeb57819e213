using System.Globalization;
using Spillway.App.Load;
using Spillway.App.Load.Compare;

namespace Spillway.Tests.App.Load.Compare;

public sealed class ComparerTests
{
    private const string OneRound =
        """
        {"schema":"spillway.load/1","run":{"arrivals":"closed","concurrency":4},
         "endpoints":[{"name":"a","rounds":[{"ok_per_second":5,"counts":{}}]}]}
        """;

    [Theory]
    [InlineData("20,20,20,20,20,20", "worse")]
    [InlineData("9,9.1,9.2,9.1,9,9.3", "better")]
    [InlineData("10.1,9.9,10,10.2,10,9.8", "within")]
    [InlineData("9,20,9,20,9,20", "open")]
    [InlineData("20,20,20", "open")]
    public void A_latency_is_judged_by_its_whole_interval_against_the_tolerance(string p99, string verdict)
    {
        double[] values = [.. p99.Split(',').Select(v => double.Parse(v, CultureInfo.InvariantCulture))];
        var report = new Comparer(0.05, 0.95).Earlier(new()
        {
            Name = "now", Server = "", Model = null, Path = "/", DeadlineMs = null, DeadlineSource = "none",
            Total = Round(0, 1), Rounds = [.. values.Select((v, i) => Round(i, v))],
            Spread = new(null, null, null, null, null, null, null, null, null),
        }, Then(values.Length));

        Assert.Equal(verdict, report.Figures.Single(f => f.Figure == "p99").Verdict);
    }

    [Theory]
    [InlineData("{}", "is no saved report")]
    [InlineData("nonsense", "is no saved report")]
    [InlineData("""{"schema":"other/1"}""", "its schema is 'other/1'")]
    [InlineData("""{"schema":"spillway.load/1","run":{},"endpoints":[]}""", "is no saved report")]
    [InlineData(OneRound, "a has 1 rounds with an answer; an interval needs 4")]
    public void A_baseline_that_cannot_serve_is_refused_with_the_remedy(string text, string expected)
    {
        var wrong = Assert.Throws<LoadException>(() => Baseline.Parse(text, "old.json"));

        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains(expected, wrong.Message, StringComparison.Ordinal);
        Assert.Contains("--rounds 10", wrong.Message, StringComparison.Ordinal);
    }

    private static BaselineEndpoint Then(int count) => new("then", "old.json",
        new Dictionary<string, IReadOnlyList<double>>
    {
        ["p99"] = [.. Enumerable.Range(0, count).Select(i => 10 + (0.01 * i))],
    });

    private static RoundReport Round(int number, double p99) => new()
    {
        Round = number, Seconds = 1, CompletedPerSecond = 1, OkPerSecond = 1, Connections = 1, WaitedForConnection = 0,
        Stages = [], Network = null, SendLag = null, DispatchLag = null, CpuMicrosecondsPerCompleted = null,
        CpuMicrosecondsPerOk = null, GeneratorCpuMicrosecondsPerCompleted = null, Phases = [], RecoverySeconds = null,
        Counts = new()
        {
            Offered = 1, OfferedPerSecond = 1, Sent = 1, Completed = 1, Ok = 1, Unanswered = 0, Good = 1,
            GoodputPerSecond = 1, GoodputShare = 1, Refusals = [], Errors = [], RefusalLatency = null,
            Latency = new(p99, p99, p99, p99, p99, p99, p99),
        },
    };
}

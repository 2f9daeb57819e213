using System.Globalization;
using Spillway.Planner.Diagnosis;
using Spillway.Planner.Queueing;

namespace Spillway.Tests.Planner.Diagnosis;

public sealed class DiagnoseTests
{
    /// <summary>The exercise: GPU 95 %, network 20 %, memory 60 %, 500 ms, 100 images a second.</summary>
    [Fact]
    public void Accelerator_at_95_percent_is_the_bottleneck_and_nothing_else_helps()
    {
        var report = Report(new()
        {
            Busy = [new("gpu", 0.95), new("network", 0.20), new("memory", 0.60)], LatencyMs = 500, Throughput = 100,
        });
        Assert.Equal("gpu", report.Bottleneck);
        Has(report, DiagnosisKind.Meaning, "quantised");
        // U = X D: 9.5 ms each, 105.3 a second at most. N = X R: 50 at once.
        Has(report, DiagnosisKind.Consequence, "9.5 ms of gpu for each answer, so 105.3 a second is the most, 5.3 %");
        Has(report, DiagnosisKind.Consequence, "50 requests in the system at once");
        Has(report, DiagnosisKind.Consequence, "work 11.5 ms for an answer; 488.5 of its 500 ms (98 %) are waiting");
        Has(report, DiagnosisKind.Consequence, "would keep 19 in the system (M/M/1), not 50");
        Has(report, DiagnosisKind.NoUse, "More network does not help: it is idle 80 %");
        Has(report, DiagnosisKind.Evidence, "memory is 60 % full. That is space, not time");
        // Half the work: 47.5 % busy and half as long, so 488.5 ms of waiting become 11.6; 6.75 ms of work are left.
        Assert.Equal(18.4, report.Of(DiagnosisKind.Step).First().AfterMs, 0.1);
        // Two of them: M/M/2 waits 0.291 services where M/M/1 waits 19, so 7.5 ms, and 9.5 + 2 ms of work.
        Assert.Equal(19.0, report.Of(DiagnosisKind.Step).ElementAt(1).AfterMs, 0.1);
        Has(report, DiagnosisKind.Step, "up to 210.5 a second, where gpu is the next limit");
    }

    [Fact]
    public void Network_at_95_percent_is_the_bottleneck_and_a_faster_accelerator_does_not_help()
    {
        var report = Report(new() { Busy = [new("gpu", 0.30), new("network", 0.95)] });
        Assert.Equal("network", report.Bottleneck);
        Has(report, DiagnosisKind.NoUse, "More gpu does not help: it is idle 70 %");
    }

    [Fact]
    public void Idle_system_is_right_sized()
    {
        var report = Report(new() { Busy = [new("gpu", 0.14)], CostPerMonth = 10_000 });
        Assert.Equal("", report.Bottleneck);
        Has(report, DiagnosisKind.Step,
            "Right-size: 20 % of the capacity would run at 70 %, so 80 % of the cost can go, 8000");
    }

    /// <summary>
    /// 40 + 180 + 5 + 60 + 100 + 5 + 40 ms on two servers of a hundred a second, called 400 ms at 200 a second.
    /// </summary>
    [Fact]
    public void Support_chatbot_waits_and_one_more_server_suffices()
    {
        var report = Report(new()
        {
            Stages = Parts("network=40,queue=180,io=5,prefill=60,decode=100,io=5,network=40"),
            Servers = 2, Capacity = 100, Throughput = 200, LatencyMs = 400, CostPerMonth = 10_000,
        });
        Assert.Equal("queue", report.Bottleneck);
        Has(report, DiagnosisKind.Bottleneck, "180 of 430 ms (42 %)");
        Has(report, DiagnosisKind.Contradiction, "add up to 430 ms, and 400 ms were given");
        Has(report, DiagnosisKind.Contradiction,
            "200 a second on 2 servers of 100 are 100 % of what they can do: there is no steady state");
        Has(report, DiagnosisKind.Consequence, "at 194.67 a second, 97.3 % busy (M/M/2)");
        var steps = report.Of(DiagnosisKind.Step).Where(step => step.Text.StartsWith("queue", StringComparison.Ordinal))
            .ToList();
        Assert.Equal([253.98, 250.78], steps.Select(step => step.AfterMs), (a, b) => Math.Abs(a - b) < 0.02);
        Assert.Contains("for 5000 more a month", steps[0].Text, StringComparison.Ordinal);
        // 160 ms of work on each at a hundred a second: sixteen at once.
        Has(report, DiagnosisKind.Consequence, "works 160 ms on each are 16 at once");
    }

    /// <summary>30 + 100 + 5 + 80 + 250 + 5 + 30 ms; decoding in 100 ms would give 350.</summary>
    [Fact]
    public void Order_status_chatbot_decodes()
    {
        var report = Report(new()
        {
            Stages = Parts("network=30,queue=100,io=5,prefill=80,decode=250,io=5,network=30"),
            Then = Parts("decode=100"), LatencyMs = 500,
        });
        Assert.Equal("decode", report.Bottleneck);
        Has(report, DiagnosisKind.Meaning, "memory bandwidth");
        Has(report, DiagnosisKind.Step, "with decode 100 ms: 350 ms in place of 500 (30 % less)");
        Assert.Empty(report.Of(DiagnosisKind.Contradiction));
    }

    /// <summary>20 + 150 + 200 + 30 + 20 ms; a queue of 50 ms would give 320.</summary>
    [Fact]
    public void Micro_example_executes_and_a_shorter_queue_gives_320_ms()
    {
        var report = Report(new()
        {
            Stages = Parts("network=20,queuing=150,execution=200,io=30,network=20"), Then = Parts("queuing=50"),
        });
        Assert.Equal("execution", report.Bottleneck);
        Has(report, DiagnosisKind.Evidence, "420 ms together");
        Has(report, DiagnosisKind.Step, "with queuing 50 ms: 320 ms in place of 420 (24 % less)");
    }

    [Fact]
    public void Figures_of_other_requests_contradict_littles_law()
    {
        var report = Report(new()
        {
            Busy = [new("gpu", 0.5)], Throughput = 100, LatencyMs = 500, Concurrency = 10,
        });
        Has(report, DiagnosisKind.Contradiction, "10 at once were given, and Little's law says 50");
        Has(Report(new() { Busy = [new("gpu", 1)], Throughput = 100, LatencyMs = 50 }), DiagnosisKind.Contradiction,
            "no steady state");
        Has(Report(new() { Busy = [new("gpu", 0.9)], Throughput = 100, LatencyMs = 5 }), DiagnosisKind.Contradiction,
            "work 9 ms for each answer, which takes only 5 ms");
    }

    [Theory]
    [InlineData(180, 2, 0.01)]
    [InlineData(8, 10, 1)]
    public void Load_is_found_again_from_its_wait(double rate, int servers, double service)
    {
        var wait = WaitingTimes.Exponential(rate, service, servers).MeanWait;
        Assert.Equal(rate, QueueInference.RateFor(wait, service, servers), rate * 1e-6);
    }

    [Fact]
    public void Wrong_figures_say_which_and_why()
    {
        Fault("Nothing to diagnose", new());
        Fault("gpu is 120 %", new() { Busy = [new("gpu", 1.2)] });
        Fault("queue is -5 ms", new() { Stages = [new("queue", -5)] });
        Fault("servers is 0.5", new() { Throughput = 1, Capacity = 2, Servers = 0.5 });
        Fault("servers is 10000000000", new() { Throughput = 1, Capacity = 2, Servers = 1e10 });
        Fault("latency is 0", new() { Busy = [new("gpu", 0.5)], LatencyMs = 0 });
        Fault("--then names 'decode'", new() { Stages = Parts("queue=5"), Then = Parts("decode=1") });

        static void Fault(string begins, DiagnosisFigures figures) => Assert.StartsWith(
            begins, Diagnose.From(figures).Fault!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("prefill", nameof(StageKind.Prefill))]
    [InlineData("Execute", nameof(StageKind.Execute))]
    [InlineData("queuing", nameof(StageKind.Queue))]
    [InlineData("batch", nameof(StageKind.Queue))]
    [InlineData("cold start", nameof(StageKind.ColdStart))]
    [InlineData("network", nameof(StageKind.Network))]
    [InlineData("receive", nameof(StageKind.Network))]
    [InlineData("output", nameof(StageKind.Data))]
    public void Names_of_parts_are_understood(string name, string kind) =>
        Assert.Equal(kind, StageKinds.Of(name).ToString());

    private static DiagnosisReport Report(DiagnosisFigures figures) => Diagnose.From(figures).Value;

    private static List<NamedFigure> Parts(string text) => [.. text.Split(',').Select(part => part.Split('='))
        .Select(part => new NamedFigure(part[0], double.Parse(part[1], CultureInfo.InvariantCulture)))];

    private static void Has(DiagnosisReport report, DiagnosisKind kind, string text)
    {
        if (!report.Of(kind).Any(line => line.Text.Contains(text, StringComparison.Ordinal)))
            Assert.Fail($"No {kind} has \"{text}\":\n"
                + string.Join('\n', report.Lines.Select(line => $"{line.Kind}: {line.Text}")));
    }
}

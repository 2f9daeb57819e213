using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Spillway.App.Cli;
using Spillway.App.Cli.Planning;
using Spillway.Planner.Plans;
using Spillway.Planner.Workloads;
using Spillway.Tests.Config;

namespace Spillway.Tests.Server;

/// <summary>Plans that are played against a running server, and plans that ask one for its times.</summary>
public sealed class PlanAgainstServerTests(SimulatedServer fixture) : IClassFixture<SimulatedServer>
{
    private readonly string _address = fixture.Server.Address.ToString().TrimEnd('/');

    [Fact]
    public async Task Verify_plays_the_very_arrivals_of_the_simulation_and_shows_both_beside_each_other()
    {
        using var folder = Folder("curves: { here: [{ rows: 1, ms: 0.05 }, { rows: 2, ms: 0.1 }] }");
        var (code, output, error) = await VerifyAsync(folder, _address, "echo");
        Assert.True(code == Commands.Ok, error);
        var plan = PlanFiles.Read(Path.Combine(folder.Root, "plan.yaml"), TextWriter.Null)!;
        var arrivals = PlanArrivals.Seconds(plan).Count;
        Assert.True(arrivals > 20);
        Assert.StartsWith($"a test, one: {arrivals} requests in", output, StringComparison.Ordinal);
        var rows = Rows(output);
        // The simulated column is the simulation's: every arrival is answered there.
        Assert.Equal(arrivals / 2.0, rows["answers a second"].Simulated, 0.5);
        Assert.Equal((0.0, 0.0), (rows["refused, %"].Live, rows["refused, %"].Simulated));
        Assert.All(new[] { "p50, ms", "p95, ms", "p99, ms", "queue mean, ms", "execute mean, ms" },
            name => Assert.True(rows[name].Live >= 0 && rows[name].Simulated >= 0));
        Assert.Equal(0.05, rows["execute mean, ms"].Simulated, 0.01);
        Assert.True(rows["execute mean, ms"].Live > 0);
    }

    [Fact]
    public async Task Verify_in_JSON_has_every_figure_with_the_band_of_a_slower_and_a_faster_machine()
    {
        using var folder = Folder("curves: { here: [{ rows: 1, ms: 2 }, { rows: 2, ms: 4 }] }");
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await VerifyCommand.RunAsync(
            new(Path.Combine(folder.Root, "plan.yaml"), null, "echo", [], _address, Band: 10, Speed: 0.5,
                Json: true), output, error, CancellationToken.None);
        Assert.True(code == Commands.Ok, error.ToString());
        var figures = JsonElement.Parse(output.ToString()).GetProperty("figures").EnumerateArray().ToDictionary(
            f => f.GetProperty("what").GetString()!);
        Assert.Equal(["answers a second", "refused", "p50", "p95", "p99", "queue mean", "queue p95", "execute mean",
            "execute p95"], figures.Keys);
        var run = figures["execute mean"];
        // Half as fast as the plan says.
        Assert.Equal(
            [4 / 1.1, 4, 4 / 0.9],
            new[] { "low", "simulated", "high" }.Select(k => run.GetProperty(k).GetDouble()), (a, b) => Math.Abs(a - b) < 0.04);
        Assert.Equal(Commands.Usage, await VerifyCommand.RunAsync(
            new(Path.Combine(folder.Root, "plan.yaml"), null, "echo", [], _address, Band: 60), output, error, default));
        Assert.Contains("0 to 50 percent", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(Commands.Usage, await VerifyCommand.RunAsync(
            new(Path.Combine(folder.Root, "plan.yaml"), null, "echo", [], _address, Speed: 0), output, error, default));
        Assert.Contains("--speed 0 is not from 0.05 to 20", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_says_that_nobody_answers()
    {
        using var folder = Folder("curves: { here: [{ rows: 1, ms: 1 }] }");
        using var held = new TcpListener(IPAddress.Loopback, 0);
        held.Start();
        var port = ((IPEndPoint)held.LocalEndpoint).Port;
        held.Stop();
        var (code, _, error) = await VerifyAsync(folder, $"http://127.0.0.1:{port}", "echo");
        Assert.NotEqual(Commands.Ok, code);
        Assert.Contains("spillway plan verify", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_refuses_an_unknown_candidate()
    {
        using var folder = Folder("curves: { here: [{ rows: 1, ms: 1 }] }");
        var (code, _, error) = await VerifyAsync(folder, _address, "echo", "two");
        Assert.Equal(Commands.Usage, code);
        Assert.Contains("'two' is not in the plan", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_asks_a_running_server_for_its_curve()
    {
        using var folder = Folder($"curveFiles: {{ here: \"{_address}#echo\" }}");
        var error = new StringWriter();
        var plan = PlanFiles.Read(Path.Combine(folder.Root, "plan.yaml"), error);
        Assert.True(plan is not null, error.ToString());
        var variant = plan.Options.Variants["model"];
        Assert.Equal(1, variant.Curves["here"][0].Rows);
        Assert.True(variant.Curves["here"].Count > 1);
        Assert.All(variant.Curves["here"], p => Assert.True(p.Ms > 0));
        // A declared profile is no measurement, whoever tells it.
        Assert.Equal(Evidence.Theoretical, variant.Evidence);
    }

    [Fact]
    public void A_server_that_does_not_serve_the_name_is_an_error_with_the_names_that_it_serves()
    {
        using var folder = Folder($"curveFiles: {{ here: \"{_address}#eco\" }}");
        var error = new StringWriter();
        Assert.Null(PlanFiles.Read(Path.Combine(folder.Root, "plan.yaml"), error));
        Assert.Contains("echo", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Calibrate_writes_what_the_plan_then_reads()
    {
        using var folder = Folder("curves: { here: [{ rows: 1, ms: 9 }] }");
        var record = string.Concat("arrival,execute_ms,batch_rows\n", string.Concat(Enumerable.Range(0, 60).Select(
            i => string.Create(CultureInfo.InvariantCulture, $"{i},{4 + (i % 3 * 0.1)},1\n"))));
        folder.Write("record.csv", record);
        var (output, error) = (new StringWriter(), new StringWriter());
        var fit = Path.Combine(folder.Root, "fit.yaml");
        var code = CalibrateCommand.Run(new(Path.Combine(folder.Root, "plan.yaml"),
            Path.Combine(folder.Root, "record.csv"), null, "", 0.3, fit, Json: false), output, error);
        Assert.True(code == Commands.Ok, error.ToString());
        Assert.Contains("Held out, 18 later requests", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("curveFiles: { here: fit.yaml }", output.ToString(), StringComparison.Ordinal);
        folder.Write("plan.yaml", Text("curveFiles: { here: fit.yaml }"));
        var plan = PlanFiles.Read(Path.Combine(folder.Root, "plan.yaml"), error)!;
        Assert.Equal(4.1, plan.Options.Variants["model"].Curves["here"].Single().Ms, 0.01);
        Assert.Equal(Evidence.Calibrated, plan.Options.Variants["model"].Evidence);
    }

    private static async Task<(int Code, string Output, string Error)> VerifyAsync(
        ConfigFolder folder, string server, string model, string? candidate = null)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await VerifyCommand.RunAsync(new(Path.Combine(folder.Root, "plan.yaml"), candidate, model, [],
            server), output, error, CancellationToken.None);
        return (code, output.ToString(), error.ToString());
    }

    private static Dictionary<string, (double Live, double Simulated)> Rows(string output) => output.Split('\n').Skip(2)
        .Where(line => line.Length > 48).ToDictionary(line => line[2..24].Trim(), line => (Number(line[24..36]),
            Number(line[36..48])));

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static ConfigFolder Folder(string times) => new ConfigFolder().Write("plan.yaml", Text(times))
        .Write("prices.yaml", "currency: EUR\ndate: 2026-01-31\nsource: a test\n"
            + "machines:\n  here: { onDemandPerHour: 1 }\n");

    private static string Text(string times) => $$"""
        name: a test
        durationSeconds: 2
        warmUpSeconds: 0
        prices: [prices.yaml]
        regions: { near: {} }
        workloads:
          - { name: people, arrivals: poisson, ratePerSecond: 20 }
        variants:
          model:
            evidence: theoretical
            source: a declared profile
            runSpread: 0
            {{times}}
        sites:
          site: { kind: cloud, networkMs: { near: 0 }, egressPerGb: 0 }
        candidates:
          - { name: one, variant: model, sites: { site: { machine: here } } }
        """;
}

using System.Globalization;
using System.Text;
using Spillway.Planner.Calibration;
using Spillway.Planner.Plans;
using Spillway.Tests.Planner.Plans;
using Spillway.Tests.Runtimes.Onnx;
using Spillway.Tests.Support;

namespace Spillway.Tests.Planner.Calibration;

/// <summary>Records whose truth is known: the fit finds it, and says how far off it is where it is not true any
/// more.</summary>
public sealed class ServiceCalibrationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_curve_is_found_again_and_foretells_what_was_held_out(int seed)
    {
        var result = Fit(Csv(seed, slowerAfter: double.MaxValue)).Result!;
        Assert.Equal([1, 2, 4], result.File.Curve.Select(p => p.Rows));
        Assert.All(result.File.Curve.Zip([20.0, 30, 50]), p => Assert.Equal(p.Second, p.First.Ms, p.Second * 0.03));
        Assert.InRange(result.RunSpread!.Value, 0.05, 0.1);
        Assert.Contains(result.File.HeldOut, h => h.What == "all runs, mean");
        Assert.All(result.File.HeldOut, h => Assert.InRange(h.Error, -0.06, 0.06));
        Assert.InRange(result.HeldOut / (double)(result.Fitted + result.HeldOut), 0.25, 0.35);
    }

    [Fact]
    public void A_machine_that_became_slower_shows_as_an_error_of_the_held_out_time()
    {
        var result = Fit(Csv(3, slowerAfter: 0.7)).Result!;
        Assert.All(result.File.Curve.Zip([20.0, 30, 50]), p => Assert.Equal(p.Second, p.First.Ms, p.Second * 0.03));
        // Runs take twice as long after the cut: the curve tells half of it.
        Assert.Equal(-0.5, result.File.HeldOut.Single(h => h.What == "all runs, mean").Error, 0.03);
    }

    [Fact]
    public void Spillways_own_records_are_read_as_the_server_writes_them_newest_first()
    {
        var lines = Enumerable.Range(0, 40).Reverse().Select(i => string.Create(CultureInfo.InvariantCulture, $$"""
            {"id":"r{{i}}","model":"{{(i % 4 == 3 ? "other" : "good")}}",
            "outcome":"{{(i % 10 == 0 ? "queue_full" : "ok")}}",
            "started":"2026-01-31T12:00:{{i:00}}.000Z","rows":1,"elements":100,
            "batch":{"rows":2,"requests":2,"cut":"full","runner":0,"device":"cpu"},
            "stages":[{"stage":"parse","ms":0.3},{"stage":"queue","ms":3},{"stage":"execute","ms":30},
            {"stage":"write","ms":0.2}],"total_ms":33.5}
            """).ReplaceLineEndings(""));
        var result = Fit($"{{\"requests\":[{string.Join(",", lines)}]}}", model: "good").Result!;
        var point = Assert.Single(result.File.Curve);
        Assert.Equal((2, 30.0), (point.Rows, point.Ms));
        // Of 40, ten are another model's, and four others at a multiple of ten and even were refused.
        Assert.Equal((26, 14), (result.Fitted + result.HeldOut, result.PassedOver));
        Assert.Equal((0.5, 0.0), (result.File.Before!.Ms, result.File.Before.Variation));
        var variant = Named(result.Yaml()).Plan!.Options.Variants.Values.First();
        Assert.Equal((0.5, 0.0), (variant.Before!.Ms, variant.RunSpread!.Value));
    }

    [Theory]
    [InlineData("arrival,execute_ms\n1,20\n0.5,20\n", "record.csv:3", "Sort the record")]
    [InlineData("arrival,execute_ms\n1,fast\n", "record.csv:2", "not a number")]
    [InlineData("arrival,execute_ms\n1,-4\n", "record.csv:2", "not a number")]
    [InlineData("arrival,execute_ms\n1,20,30\n", "record.csv:2", "3 values")]
    [InlineData("execute_ms\n20\n", "record.csv:2", "arrival is missing")]
    [InlineData("{\"arrival\":1,", "record.csv:1", "not JSON")]
    [InlineData("arrival,execute_ms\nyesterday,20\n", "record.csv:2", "not a time")]
    [InlineData("", "record.csv", "no answered request")]
    public void A_wrong_line_is_named_with_its_remedy(string text, string place, string words)
    {
        var outcome = Fit(text);
        Assert.Null(outcome.Result);
        var error = outcome.Errors[0];
        Assert.StartsWith(place, error.Place, StringComparison.Ordinal);
        Assert.Contains(words, $"{error.Problem} {error.Remedy}", StringComparison.Ordinal);
    }

    [Fact]
    public void Too_few_runs_are_no_curve()
    {
        var outcome = Fit("arrival,execute_ms\n0,20\n1,20\n2,20\n");
        Assert.Contains("5 times", outcome.Fault!.Message, StringComparison.Ordinal);
        Assert.Empty(outcome.Errors);
    }

    [Fact]
    public void What_is_written_is_what_a_plan_reads_and_it_is_labelled_calibrated()
    {
        var fit = Fit(Csv(1, double.MaxValue)).Result!;
        var result = Named(fit.Yaml());
        Assert.Empty(result.Errors);
        var variant = result.Plan!.Options.Variants["good"];
        Assert.Equal(Evidence.Calibrated, variant.Evidence);
        Assert.Equal(fit.File.Curve, variant.Curves["small"]);
        Assert.Contains("fitted to", variant.Source, StringComparison.Ordinal);
    }

    [NeedsFact(Need.Data)]
    public void A_real_engine_is_fitted_from_the_file_as_it_was_published_and_the_rest_is_foretold()
    {
        var file = Path.Combine(Environment.GetEnvironmentVariable("SPILLWAY_DATA")!, "traces",
            "vllm-rtxpro6000-llama3.1-8b", "RTXPRO6000_Llama-3.1-8B__vllm_requests.jsonl");
        var lines = File.ReadAllLines(file).OrderBy(l => System.Text.Json.JsonElement.Parse(l)
            .GetProperty("arrival_time").GetDouble());
        var hardware = File.ReadAllText(Repository.At("samples", "plans", "hardware.yaml"));
        var read = PlanReader.Read("plan.yaml", SmallPlan.Text.Replace("prices: [prices.yaml]",
            "prices: [prices.yaml]\nhardware: [hardware.yaml]").Replace("ratePerSecond: 40,",
            "ratePerSecond: 4, tokensIn: { mean: 800 }, tokensOut: { mean: 600 },").Replace("candidates:", """
            candidates:
              - name: engine
                variant: engine
                sites: { here: { machine: gpu } }
            """).Replace("sites:\n", """
              engine:
                evidence: theoretical
                source: a test
                language: { model: Llama-3.1-8B, serving: { sequencesMax: 128, batchedTokensMax: 2048 } }
            sites:

            """, StringComparison.Ordinal), name => new(name switch
            {
                "hardware.yaml" => hardware,
                _ => SmallPlan.Prices.Replace("platforms:",
                    "  gpu: { onDemandPerHour: 1, gpu: RTX PRO 6000, gpus: 1 }\nplatforms:"),
            }));
        Assert.Empty(read.Errors);
        // Half of the arrivals, as the acceptance run of this engine has it.
        var fit = ServiceCalibration.Fit(read.Plan!, read.Plan!.Candidates.Single(c => c.Name == "engine"),
            ("vllm.jsonl", string.Join('\n', lines)), "", 0.5);
        Assert.True(fit.Result is not null, $"{fit.Fault?.Message} {string.Join(" ", fit.Errors)}");
        var errors = fit.Result.File.HeldOut.ToDictionary(h => h.What, h => h.Error);
        Assert.InRange(errors["time of each further token, mean"], -0.05, 0.05);
        Assert.InRange(errors["all answers complete after"], -0.05, 0.05);
        Assert.InRange(errors["time to the first token, mean"], -0.1, 0.1);
        Assert.Equal("calibrated", fit.Result.File.Constants!.Label);
    }

    private static PlanResult Named(string fit)
    {
        const string Curves = "    curves:\n      small: [{ rows: 1, ms: 20 }, { rows: 2, ms: 40 }]\n"
            + "      large: [{ rows: 1, ms: 10 }, { rows: 8, ms: 16 }]\n";
        Assert.Contains(Curves, SmallPlan.Text, StringComparison.Ordinal);
        return PlanReader.Read("plan.yaml",
            SmallPlan.Text.Replace(Curves, "    curveFiles: { small: fit.yaml }\n", StringComparison.Ordinal),
            name => new(name == "fit.yaml" ? fit : SmallPlan.Prices));
    }

    private static CalibrationOutcome Fit(string text, string model = "")
    {
        var plan = SmallPlan.Read();
        return ServiceCalibration.Fit(plan, plan.Candidates[0], ("record.csv", text), model, 0.3);
    }

    /// <summary>Runs of 1, 2 and 4 rows that take 20, 30 and 50 ms, a tenth up and down.</summary>
    private static string Csv(int seed, double slowerAfter)
    {
        const int Requests = 900;
        var (random, text) = (new Random(seed), new StringBuilder("arrival,execute_ms,batch_rows,batch_requests\n"));
        for (var i = 0; i < Requests; i++)
        {
            var rows = 1 << random.Next(3);
            var ms = (rows == 1 ? 20 : rows == 2 ? 30 : 50) * (0.9 + (0.2 * random.NextDouble()))
                * (i > Requests * slowerAfter ? 2 : 1);
            text.Append(CultureInfo.InvariantCulture, $"{i * 0.1:0.0},{ms:0.####},{rows},1\n");
        }

        return text.ToString();
    }
}

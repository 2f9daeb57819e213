using Spillway.Planner.Answers;
using Spillway.Planner.Plans;

namespace Spillway.Tests.Planner.Plans;

/// <summary>Curves that stand elsewhere than in the plan.</summary>
public sealed class VariantFilesTests
{
    private const string Kept = "spillway-curve 1\nshape=1x32 cores=2 on=here\n1 407000\n2 982000\n";

    private const string Models = """
        {"models":[{"name":"broken","simulated":false},
        {"name":"line-ocr","simulated":false,"curve":[{"rows":1,"ms":20},{"rows":2,"ms":31.5}]},
        {"name":"toy","simulated":true,"curve":[{"rows":1,"ms":1}]}]}
        """;

    [Fact]
    public void The_curve_that_a_server_kept_is_measured_and_says_under_what_conditions()
    {
        var variant = Read("curve-1234", Kept).Plan!.Options.Variants["good"];
        Assert.Equal([(1, 40.7), (2, 98.2)], variant.Curves["small"].Select(p => (p.Rows, p.Ms)));
        Assert.Equal(Evidence.Measured, variant.Evidence);
        Assert.Contains("cores=2", variant.Source, StringComparison.Ordinal);
    }

    [Fact]
    public void A_running_server_is_asked_for_what_it_has_learned()
    {
        var plan = Read("http://127.0.0.1:8000#line-ocr", Models).Plan!;
        Assert.Equal([(1, 20.0), (2, 31.5)], plan.Options.Variants["good"].Curves["small"].Select(p => (p.Rows, p.Ms)));
        var outcome = Evaluation.Run(plan, plan.Candidates[0])!;
        Assert.Equal(Evidence.Measured, outcome.Evidence);
    }

    [Fact]
    public void A_simulated_model_of_a_server_measures_nothing() => Assert.Equal(Evidence.Theoretical,
        Read("http://127.0.0.1:8000#toy", Models).Plan!.Options.Variants["good"].Evidence);

    [Theory]
    [InlineData("http://127.0.0.1:8000#lin-ocr", Models, "Known: broken, line-ocr, toy")]
    [InlineData("http://127.0.0.1:8000#broken", Models, "not loaded")]
    [InlineData("http://127.0.0.1:8000#line-ocr", "{\"error\":\"no\"}", "not the list of a server's models")]
    [InlineData("curve-1", "spillway-curve 1\nx\n2 100\n1 100\n", "ascending")]
    [InlineData("curve-1", "spillway-curve 1\nx\n", "no point")]
    [InlineData("fit.yaml", "source: a fit\nconstants: { computePart: 0.7 }", "constantsFile")]
    [InlineData("gone.yaml", null, "cannot be read")]
    public void What_is_no_curve_is_an_error_with_its_remedy(string name, string? text, string words)
    {
        var result = Read(name, text);
        Assert.Null(result.Plan);
        Assert.Contains(result.Errors, e => $"{e.Problem} {e.Remedy}".Contains(words, StringComparison.Ordinal));
    }

    [Fact]
    public void A_curve_beside_the_file_of_the_same_machine_is_an_error() => Assert.Contains(
        PlanReader.Read("plan.yaml", SmallPlan.Text.Replace("    curves:\n      small: [{ rows: 1, ms: 20 }",
            "    curveFiles: { small: curve-1 }\n    curves:\n      small: [{ rows: 1, ms: 20 }",
            StringComparison.Ordinal), Open("curve-1", Kept)).Errors,
        e => e.Problem.Contains("as well", StringComparison.Ordinal));

    private static PlanResult Read(string name, string? text) => PlanReader.Read("plan.yaml", SmallPlan.Text.Replace(
        "    curves:\n      small: [{ rows: 1, ms: 20 }, { rows: 2, ms: 40 }]\n"
        + "      large: [{ rows: 1, ms: 10 }, { rows: 8, ms: 16 }]\n", $"    curveFiles: {{ small: \"{name}\" }}\n",
        StringComparison.Ordinal), Open(name, text));

    private static Func<string, PlanFile> Open(string name, string? text) => asked => asked == name
        ? new(text, "It does not exist.") : new(SmallPlan.Prices);
}

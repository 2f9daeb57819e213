using Spillway.Runtimes.Simulated;

namespace Spillway.Tests.Config;

public sealed class EnvironmentOverridesTests
{
    [Theory]
    [InlineData("SPILLWAY__SERVER__PORT")]
    [InlineData("spillway__server__port")]
    [InlineData("Spillway__Server__Port")]
    public void Server_key_is_overridden_in_any_case(string variable)
    {
        using var folder = ConfigFolder.WithServer("server: { port: 1 }\nmodels: [echo]").With(variable, "8080");

        Assert.Equal(8080, folder.Valid().Options!.Server.Port);
    }

    [Theory]
    [InlineData("SPILLWAY__MODELS__LINE_OCR__BATCHING__QUEUELENGTHMAX")]
    [InlineData("SPILLWAY__MODELS__line-ocr__BATCHING__QUEUELENGTHMAX")]
    [InlineData("SPILLWAY__MODELS__Line_Ocr__batching__QUEUE_LENGTH_MAX")]
    public void Model_is_named_with_dashes_or_underscores(string variable)
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo + "\nname: line-ocr\n").With(variable, "64");

        Assert.Equal(64, folder.Valid().Models[0].Batching.QueueLengthMax);
    }

    [Fact]
    public void Values_are_YAML_text_is_literal_and_sections_appear_when_absent()
    {
        using var folder = ConfigFolder.WithServer("models: [gone]")
            .Write("echo/labels: a.txt", "a\nb\n")
            .With("SPILLWAY__MODELS", "[echo]")
            .With("SPILLWAY__SERVER__NAME", "triton: # not a comment")
            .With("SPILLWAY__MODELS__ECHO__TYPICAL", "{ x: [1, 4] }")
            .With("SPILLWAY__MODELS__ECHO__OUTPUTS__TOPK__LABELS", "labels: a.txt")
            .With("SPILLWAY__MODELS__ECHO__SIMULATED__LATENCYMS__8", "9.5")
            .With("SPILLWAY__MODELS__ECHO__SIMULATED__SEED", "-3");

        var result = folder.Valid();

        var model = result.Models[0];
        var profile = Assert.IsType<SimulatedOptions>(model.RuntimeOptions);
        Assert.Equal("triton: # not a comment", result.Options!.Server.Name);
        Assert.Equal([1, 4], model.Typical["x"]);
        Assert.Equal(folder.PathOf("echo/labels: a.txt"), model.Outputs.TopK!.Labels);
        Assert.Equal(9.5, profile.LatencyMs[8]);
        Assert.Equal(-3, profile.Seed);
    }

    [Theory]
    [InlineData("SPILLWAY__SERVER__PROT", "1", "no option", "SPILLWAY__SERVER__PORT")]
    [InlineData("SPILLWAY__SEVER__PORT", "1", "no option", "SPILLWAY__SERVER__PORT")]
    [InlineData("SPILLWAY__MODELS__ECOH__VERSION", "1", "no model", "SPILLWAY__MODELS__ECHO__VERSION")]
    [InlineData("SPILLWAY__MODELS__ECHO__BATCHNG__RUNNERS", "1", "no option",
        "SPILLWAY__MODELS__ECHO__BATCHING__RUNNERS")]
    [InlineData("SPILLWAY__MODELS__ECHO__SIMULATED__INPUTS__Z", "1", "no option", "")]
    [InlineData("SPILLWAY__SERVER__PORT__HTTP", "1", "no keys below it", "SPILLWAY__SERVER__PORT")]
    [InlineData("SPILLWAY__SERVER__PORT", "99999", "out of range", "")]
    [InlineData("SPILLWAY__SERVER__PORT", "", "", "")]
    [InlineData("SPILLWAY__SERVER__PORT", "{", "not valid YAML", "")]
    [InlineData("SPILLWAY__SERVER__ADDRESS", "0.0.0.0", "loopback", "")]
    [InlineData("SPILLWAY__MODELS__ECHO__RUNTIME", "simulatd", "No such runtime", "simulated")]
    [InlineData("SPILLWAY__", "1", "no option", "")]
    public void Wrong_override_names_the_variable_in_place_of_file_and_line(
        string variable, string value, string problem, string meant)
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo).With(variable, value);

        var error = folder.Load().Errors[0];

        Assert.Equal((variable, 0, variable), (error.File, error.Line, error.Place));
        Assert.Contains(problem, error.Problem, StringComparison.Ordinal);
        Assert.Equal(meant, error.Suggestion);
    }

    [Fact]
    public void Two_variables_for_one_key_are_an_error_that_names_both()
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo)
            .With("SPILLWAY__SERVER__PORT", "1").With("spillway__server__port", "2");

        var error = folder.OnlyError();

        Assert.Equal("spillway__server__port", error.File);
        Assert.Contains("SPILLWAY__SERVER__PORT sets the same key", error.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Override_of_an_aliased_section_changes_one_of_the_two()
    {
        using var folder = ConfigFolder.WithModel(
            ConfigFolder.Echo + "\nserve:\n  a: &d { picture: { name: i, to: x, height: 4 } }\n  b: *d\n")
            .With("SPILLWAY__MODELS__ECHO__SERVE__B__PICTURE__HEIGHT", "8");

        var serve = folder.Valid().Models[0].Serve;

        Assert.Equal((4, 8), (serve["a"].Picture!.Height, serve["b"].Picture!.Height));
    }

    [Fact]
    public void Variables_without_the_prefix_are_left_alone()
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo)
            .With("SPILLWAY_SERVER", "http://127.0.0.1:8000").With("PATH", "/bin").With("SPILLWAY_SERVER_PORT", "x");

        folder.Valid();
    }

    [Fact]
    public void Longer_of_two_deployment_names_owns_its_variable()
    {
        using var folder = ConfigFolder.WithServer("models: [a, a--b]")
            .Write("a/model.yaml", ConfigFolder.Echo).Write("a--b/model.yaml", ConfigFolder.Echo)
            .With("SPILLWAY__MODELS__A__B__VERSION", "7");

        Assert.Equal([1, 7], folder.Valid().Models.Select(m => m.Version));
    }
}

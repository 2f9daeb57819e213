using System.Text.Json;
using Spillway.Tests.Config;

namespace Spillway.Tests.Server;

/// <summary>The command line as a person or a script meets it: output, exit codes, sentences. Each run is a process.</summary>
public sealed class CommandTests(SimulatedServer fixture) : IClassFixture<SimulatedServer>
{
    private readonly TestServer _server = fixture.Server;

    private string At => _server.Address.ToString();

    private static string Demo => Path.Combine(ConfigFolder.Repository, "samples", "demo");

    [Fact]
    public async Task Check_of_a_right_configuration_says_so()
    {
        var (code, output, _) = await ChildProcess.RunAsync("check", Demo);
        Assert.Equal(0, code);
        Assert.Contains("nothing wrong", output, StringComparison.Ordinal);
        Assert.Contains("line-ocr", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_lists_every_mistake_as_text_and_as_JSON()
    {
        using var folder = TestServer.Folder("nam: x", ("echo", TestServer.Simulated(more: "deadline: { factor: 0 }")));
        var (code, _, errors) = await ChildProcess.RunAsync("check", folder.Root);
        Assert.Equal(2, code);
        Assert.All(new[] { "nam", "name", "factor", "spillway.yaml", "model.yaml" }, w => Assert.Contains(w, errors, StringComparison.Ordinal));

        (code, var output, _) = await ChildProcess.RunAsync("check", "--json", folder.Root);
        Assert.Equal(2, code);
        Assert.NotEqual(JsonValueKind.Undefined, JsonElement.Parse(output).ValueKind);
        Assert.Contains("deadline.factor", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_prints_the_effective_configuration_as_JSON()
    {
        var (code, output, _) = await ChildProcess.RunAsync("check", "--effective", Demo);
        Assert.Equal(0, code);
        Assert.Contains("\"bodyBytesMax\": 67108864", output, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Object, JsonElement.Parse(output).ValueKind);
    }

    [Fact]
    public async Task Models_lists_each_with_its_state_as_text_and_as_JSON()
    {
        var (code, output, _) = await ChildProcess.RunAsync("models", "--server", At);
        Assert.Equal(0, code);
        Assert.Contains("pair  version 3  READY  (simulated)", output, StringComparison.Ordinal);
        (code, output, _) = await ChildProcess.RunAsync("models", "--server", At, "--json");
        Assert.Equal(0, code);
        Assert.Equal(7, JsonElement.Parse(output).GetProperty("models").GetArrayLength());
    }

    [Fact]
    public async Task Infer_prints_outputs_and_where_the_time_went_and_explain_knows_the_rest()
    {
        using var folder = new ConfigFolder().Write("word.txt", "hello");
        var (code, output, errors) = await ChildProcess.RunAsync("infer", "words", folder.PathOf("word.txt"), "--server", At);
        Assert.True(code == 0, errors);
        Assert.Contains("label        simulated", output, StringComparison.Ordinal);
        var id = output.Split("spillway explain ")[1].Trim();

        await using (var child = ChildProcess.Spillway(["explain", id, "--server", At], ("TERM", "xterm-256color")))
            (code, output, errors) = await child.EndAsync();
        Assert.True(code == 0, errors);
        // Nobody's terminal, so no colours.
        Assert.DoesNotContain('\e', output);
        Assert.All(new[] { id, "execute", "total", "Placed", "Answered" }, w => Assert.Contains(w, output, StringComparison.Ordinal));

        (code, output, _) = await ChildProcess.RunAsync("explain", id, "--server", At, "--json");
        Assert.Equal(0, code);
        Assert.Equal(id, JsonElement.Parse(output).GetProperty("id").GetString());

        (code, output, _) = await ChildProcess.RunAsync("infer", "words", folder.PathOf("word.txt"), "--server", At, "--json");
        Assert.Equal(0, code);
        Assert.Equal("words", JsonElement.Parse(output).GetProperty("model_name").GetString());
    }

    [Fact]
    public async Task Infer_goes_on_after_a_file_that_fails_and_ends_with_1()
    {
        using var folder = new ConfigFolder().Write("word.txt", "hello");
        var (code, output, errors) = await ChildProcess.RunAsync(
            "infer", "words", folder.PathOf("missing.txt"), folder.PathOf("word.txt"), "--server", At);
        Assert.Equal(1, code);
        Assert.Contains("missing.txt: cannot be read", errors, StringComparison.Ordinal);
        Assert.Contains("simulated", output, StringComparison.Ordinal);

        (code, _, errors) = await ChildProcess.RunAsync("infer", "nobody", folder.PathOf("word.txt"), "--server", At);
        Assert.Equal(1, code);
        Assert.Contains("404: Request for unknown model: 'nobody'", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_of_an_unknown_request_says_where_ids_come_from()
    {
        var (code, _, errors) = await ChildProcess.RunAsync("explain", "nothing-like-it", "--server", At);
        Assert.Equal(1, code);
        Assert.Contains("X-Request-Id", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("models")]
    [InlineData("explain")]
    [InlineData("infer", "line-ocr", "FILE")]
    public async Task Where_no_server_answers_the_sentence_says_how_to_start_one(params string[] command)
    {
        using var folder = new ConfigFolder().Write("word.txt", "hello");
        // Port 1 is reserved and nobody listens there.
        var (code, output, errors) = await ChildProcess.RunAsync(
            [.. command.Select(c => c == "FILE" ? folder.PathOf("word.txt") : c), "--server", "http://127.0.0.1:1"]);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("No server answers at http://127.0.0.1:1", errors, StringComparison.Ordinal);
        Assert.Contains("spillway up", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_usage_is_exit_code_2_and_help_has_examples()
    {
        Assert.Equal(2, (await ChildProcess.RunAsync("modles")).ExitCode);
        Assert.Equal(2, (await ChildProcess.RunAsync("models", "--server", "not an address")).ExitCode);
        var (code, output, _) = await ChildProcess.RunAsync("infer", "--help");
        Assert.Equal(0, code);
        Assert.Contains("spillway infer line-ocr samples/ocr/*.png", output, StringComparison.Ordinal);
    }
}

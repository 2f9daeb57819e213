using System.Text.Json;
using Spillway.Tests.Config;

namespace Spillway.Tests.Server;

/// <summary>`spillway config` and the repository's side of `spillway check`, each run as a process.</summary>
public sealed class ConfigCommandTests
{
    private const string Wrong = "max_batch_size: 8\nsequence_batching { }\n";

    [Fact]
    public async Task Config_prints_a_model_of_the_repository_in_every_form()
    {
        using var folder = Folder("max_batch_size: 8\ndynamic_batching { preferred_batch_size: [ 4 ] }\n");

        var (code, output, errors) = await RunAsync("digits");
        Assert.Equal(0, code);
        Assert.Contains("# digits, version 2:", output, StringComparison.Ordinal);
        Assert.Contains("  batchRowsMax: 8\n", output, StringComparison.Ordinal);
        Assert.Contains("config.pbtxt:2:20  repository.digits.dynamic_batching.preferred_batch_size", errors,
            StringComparison.Ordinal);

        (code, output, _) = await RunAsync("digits", "--as", "pbtxt");
        Assert.Equal(0, code);
        Assert.StartsWith("name: \"digits\"\n", output, StringComparison.Ordinal);

        (code, output, _) = await RunAsync("digits", "--as", "json");
        Assert.Equal(0, code);
        Assert.Equal(8, JsonElement.Parse(output).GetProperty("max_batch_size").GetInt32());

        Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] more) =>
            ChildProcess.RunAsync(["config", .. more, "--config", folder.Root]);
    }

    [Fact]
    public async Task Config_prints_a_listed_model_and_says_which_there_are()
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo);

        var (code, output, _) = await ChildProcess.RunAsync("config", "echo", "--config", folder.Root);
        Assert.Equal(0, code);
        Assert.Contains("simulated:\n", output, StringComparison.Ordinal);

        (code, output, var errors) = await ChildProcess.RunAsync("config", "ecko", "--config", folder.Root);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains("There is no model ecko. The configuration has: echo.", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Config_refuses_a_broken_model_and_a_version_that_is_not_served()
    {
        using var folder = Folder(Wrong);

        var (code, output, errors) = await ChildProcess.RunAsync("config", "digits", "--config", folder.Root);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains("config.pbtxt:2:1", errors, StringComparison.Ordinal);

        folder.Write("models/digits/config.pbtxt", "");
        (code, _, errors) = await ChildProcess.RunAsync(
            "config", "digits", "--version-number", "1", "--config", folder.Root);
        Assert.Equal(2, code);
        Assert.Contains("Served are 2;", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_reports_the_repository_as_text_and_as_JSON()
    {
        using var folder = Folder(Wrong + "response_cache { enable: true }\n");

        var (code, _, errors) = await ChildProcess.RunAsync("check", folder.Root);
        Assert.Equal(2, code);
        Assert.All(new[] { "config.pbtxt:2:1", "state in the client", "config.pbtxt:3:18", "1 note.", "1 error." },
            w => Assert.Contains(w, errors, StringComparison.Ordinal));

        (code, var output, _) = await ChildProcess.RunAsync("check", "--json", folder.Root);
        Assert.Equal(2, code);
        Assert.Equal(["error", "note"],
            JsonElement.Parse(output).EnumerateArray().Select(e => e.GetProperty("severity").GetString()));

        folder.Write("models/digits/config.pbtxt", "max_batch_size: 8");
        (code, output, errors) = await ChildProcess.RunAsync("check", folder.Root);
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("with 1 model(s): digits 2.", output, StringComparison.Ordinal);
    }

    private static ConfigFolder Folder(string pbtxt) => new ConfigFolder()
        .Write("spillway.yaml", "repository: { path: models }\n").Write("models/digits/config.pbtxt", pbtxt)
        .Write("models/digits/1/model.onnx", "x").Write("models/digits/2/model.onnx", "x");
}

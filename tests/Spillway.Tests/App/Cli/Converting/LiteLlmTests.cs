using Spillway.App.Cli.Converting;
using Spillway.App.Hosting;
using Spillway.Config;
using Spillway.Tests.Config;
using Spillway.Tests.Server;

namespace Spillway.Tests.App.Cli.Converting;

/// <summary>A LiteLLM proxy's configuration becomes one of this server, and nothing of it is lost in silence.</summary>
public sealed class LiteLlmTests
{
    private const string Sample = """
        model_list:
          - model_name: gpt-4o
            litellm_params:
              model: openai/gpt-4o
              api_key: os.environ/OPENAI_API_KEY
              order: 1
              rpm: 600
              tpm: 100000
              input_cost_per_token: 0.0000025
              output_cost_per_token: 0.00001
          - model_name: gpt-4o
            litellm_params:
              model: azure/gpt-4o-eu
              api_base: https://eu.example.com
              api_version: "2024-10-21"
              api_key: os.environ/AZURE_KEY
              rpm: 300
              tpm: 50000
              timeout: 30
              order: 2
          - model_name: local
            litellm_params: { model: hosted_vllm/qwen3-8b, api_base: "http://10.0.0.7:8000/v1", weight: 3 }
          - model_name: local
            litellm_params: { model: hosted_vllm/qwen3-8b, api_base: "http://10.0.0.8:8000/v1" }
          - model_name: small model
            litellm_params: { model: ollama/llama3, api_key: sk-12345678 }
          - model_name: bedrock-claude
            litellm_params: { model: bedrock/anthropic.claude-v2, aws_region_name: us-east-1 }
          - model_name: "openai/*"
            litellm_params: { model: "openai/*" }
        litellm_settings:
          drop_params: true
          num_retries: 4
          request_timeout: 120
          fallbacks: [{ gpt-4o: [local, nobody] }]
        router_settings:
          routing_strategy: least-busy
          cooldown_time: 30
          model_group_alias: { gpt-4: gpt-4o }
          redis_host: os.environ/REDIS_HOST
        general_settings:
          master_key: sk-1234
          database_url: postgres://user:secret@db/x
        """;

    private static (Converted Converted, string Text) Convert(string text)
    {
        var converted = LiteLlmConversion.Convert(LiteLlmFile.Read(text));
        return (converted, SpillwayText.Write(converted, "config.yaml"));
    }

    private static ConfigResult Load(string text)
    {
        using var folder = new ConfigFolder();
        folder.Write("spillway.yaml", text);
        return ConfigLoader.Load(
            folder.PathOf("spillway.yaml"), Composition.RuntimeOptions, new Dictionary<string, string>());
    }

    [Fact]
    public void What_comes_out_is_a_configuration_that_says_the_same()
    {
        var (_, text) = Convert(Sample);

        var result = Load(text);

        Assert.True(result.Errors.Count == 0, ConfigErrorText.Format(result.Errors) + text);
        var options = result.Options!;
        Assert.Equal(["gpt-4o", "local", "small-model", "gpt-4"], options.Routes.Keys);
        Assert.Equal(["gpt-4o-1", "gpt-4o-2", "local-1"], options.Routes["gpt-4o"].Chain.Steps.Select(s => s.Model));
        Assert.Equal(options.Routes["gpt-4o"].Chain.Steps.Select(s => s.Model),
            options.Routes["gpt-4"].Chain.Steps.Select(s => s.Model));
        var azure = options.Upstreams["gpt-4o-2"];
        Assert.Equal((UpstreamKind.Azure, "gpt-4o-eu", "2024-10-21", "env:AZURE_KEY", 30_000.0),
            (azure.Kind, azure.Model, azure.ApiVersion, azure.KeyFrom, azure.TotalMs));
        Assert.Equal("https://eu.example.com/openai/deployments/gpt-4o-eu", azure.Targets["t1"].Url);
        Assert.Equal([3.0, 1.0], options.Upstreams["local-1"].Targets.Values.Select(t => t.Weight));
        Assert.Equal("http://localhost:11434/v1", options.Upstreams["small-model-1"].Targets["t1"].Url);
        Assert.All(options.Upstreams.Values, u => Assert.Equal(5, u.Retry.AttemptsMax));
        Assert.Equal(120_000, options.Upstreams["local-1"].TotalMs);
        Assert.Equal(900 / 60.0, options.Limits.Rates["gpt-4o"].RequestsPerSecond!.Value, 6);
        Assert.Equal(150_000 / 60.0, options.Limits.Rates["gpt-4o"].TokensPerSecond!.Value, 6);
    }

    [Fact]
    public void Every_line_without_a_counterpart_is_named_with_its_number()
    {
        var (converted, _) = Convert(Sample);
        var lines = Sample.Split('\n');

        foreach (var says in (string[])
        [
            "drop_params", "nobody", "routing_strategy", "redis_host", "database_url", "bedrock", "openai/*",
            "small model", "api_key: sk-", "master_key", "order: 2",
        ])
        {
            var line = Array.FindIndex(lines, l => l.Contains(says, StringComparison.Ordinal)) + 1;
            // A deployment is named by its first line.
            Assert.True(converted.Notes.Exists(n => Near(n, line, says)),
                $"{says}, line {line}:\n{string.Join('\n', converted.Notes)}");
        }

        static bool Near(string note, int line, string says) =>
            int.Parse(note[..note.IndexOf(':')]) is var at
            && (at == line
                || (says is "bedrock" or "openai/*" or "small model" or "order: 2" && Math.Abs(at - line) <= 9));
    }

    [Fact]
    public void No_secret_of_the_file_is_copied()
    {
        var (_, text) = Convert(Sample);

        Assert.DoesNotContain("sk-1", text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.Contains("env:SMALL_MODEL_KEY", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_keys_of_one_address_are_further_keys()
    {
        var (converted, text) = Convert("""
            model_list:
              - { model_name: m, litellm_params: { model: gpt-4o, api_key: os.environ/A } }
              - { model_name: m, litellm_params: { model: gpt-4o, api_key: os.environ/B } }
            """);

        Assert.Equal(["A", "B"], Assert.Single(converted.Upstreams).Value.Keys);
        Assert.Empty(Load(text).Errors);
    }

    [Theory]
    [InlineData("")]
    [InlineData("- a\n- b")]
    [InlineData("a: [")]
    public void What_is_no_configuration_is_told(string text) =>
        Assert.Throws<FormatException>(() => LiteLlmFile.Read(text));

    [Fact]
    public void A_short_time_is_a_configuration_too()
    {
        var (_, text) = Convert("""
            model_list: [{ model_name: m, litellm_params: { model: gpt-4o, timeout: 0.5, stream_timeout: 60 } }]
            """);

        Assert.Empty(Load(text).Errors);
    }

    [Fact]
    public void What_stands_in_a_variable_is_named_and_leads_nowhere_until_it_is_given()
    {
        var (converted, text) = Convert("""
            model_list:
              - model_name: m
                litellm_params:
                  model: azure/gpt-4o
                  api_base: os.environ/AZURE_API_BASE
                  api_version: os.environ/AZURE_VERSION
                  api_key: os.environ/AZURE_KEY
            """);

        var options = Load(text).Options!;

        Assert.Equal("https://azureapibase.invalid/openai/deployments/gpt-4o",
            options.Upstreams["m-1"].Targets["t1"].Url);
        Assert.Equal("", options.Upstreams["m-1"].ApiVersion);
        Assert.DoesNotContain("os.environ", string.Concat(text.Split('\n').Where(l => !l.StartsWith('#'))),
            StringComparison.Ordinal);
        Assert.Contains(converted.Notes, n => n.StartsWith("5: api_base: ", StringComparison.Ordinal)
            && n.Contains("AZURE_API_BASE", StringComparison.Ordinal));
        Assert.Contains(converted.Notes, n => n.StartsWith("6: api_version: ", StringComparison.Ordinal)
            && n.Contains("AZURE_VERSION", StringComparison.Ordinal));
    }

    [Fact]
    public void An_alias_shares_the_limit_of_its_route()
    {
        var (_, text) = Convert("""
            model_list: [{ model_name: a, litellm_params: { model: gpt-4o, rpm: 60, tpm: 6000 } }]
            router_settings: { model_group_alias: { b: a, c: a } }
            """);

        var rate = Assert.Single(Load(text).Options!.Limits.Rates).Value;

        Assert.Equal(["a", "b", "c"], rate.Routes);
        Assert.Equal((1.0, 100.0), (rate.RequestsPerSecond!.Value, rate.TokensPerSecond!.Value));
    }

    [Theory]
    [InlineData("weight: 0", "a weight is 0.001 to 1000")]
    [InlineData("weight: 5000", "a weight is 0.001 to 1000")]
    [InlineData("rpm: 0", "rpm: 0")]
    [InlineData("tpm: 0", "tpm: 0")]
    public void A_number_that_is_none_here_is_named_and_the_file_passes(string parameter, string says)
    {
        var (converted, text) = Convert(
            $"model_list: [{{ model_name: m, litellm_params: {{ model: gpt-4o, {parameter} }} }}]");

        Assert.Empty(Load(text).Errors);
        Assert.Contains(says, Assert.Single(converted.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Deployments_beyond_what_a_route_can_have_are_named_and_left_out()
    {
        var (converted, text) = Convert("model_list:\n" + string.Concat(Enumerable.Range(1, 10).Select(i =>
            $"  - {{ model_name: m, litellm_params: {{ model: model-{i}, rpm: 60 }} }}\n")));

        var options = Load(text).Options!;

        Assert.Equal((8, 8), (options.Routes["m"].Chain.Steps.Count, options.Upstreams.Count));
        Assert.Equal(8, options.Limits.Rates["m"].RequestsPerSecond);
        Assert.Equal(["10", "11"], converted.Notes
            .Where(n => n.Contains("left out", StringComparison.Ordinal)).Select(n => n[..n.IndexOf(':')]));
    }

    [Fact]
    public void What_check_still_says_of_the_file_is_among_the_notes()
    {
        var converted = LiteLlmConversion.Convert(LiteLlmFile.Read("""
            model_list: [{ model_name: m, litellm_params: { model: gpt-4o, api_base: "ftp://x", timeout: 1e9 } }]
            """));

        var text = ConvertedCheck.Write(converted, "config.yaml");

        var errors = Load(text).Errors;
        Assert.NotEmpty(errors);
        Assert.All(errors, e => Assert.Contains(
            converted.Notes, n => n.StartsWith($"0: {e.Key}", StringComparison.Ordinal)));
        Assert.Contains("#   0: upstreams.m-1", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_writes_a_file_that_check_accepts_and_leaves_one_alone_that_is_there()
    {
        using var folder = new ConfigFolder();
        folder.Write("config.yaml", Sample);
        var into = folder.PathOf("spillway.yaml");

        var first = await ChildProcess.RunAsync("convert", "litellm", folder.PathOf("config.yaml"), "--output", into);
        var check = await ChildProcess.RunAsync("check", into);
        var again = await ChildProcess.RunAsync("convert", "litellm", folder.PathOf("config.yaml"), "--output", into);

        Assert.Equal((0, 0, 1), (first.Item1, check.Item1, again.Item1));
        Assert.Contains("drop_params", first.Item3, StringComparison.Ordinal);
        Assert.Contains("already", again.Item3, StringComparison.Ordinal);
    }
}

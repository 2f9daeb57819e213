using System.Text.Json;
using Spillway.Config;
using Spillway.Policies.Batching;
using Spillway.Runtimes.Onnx;
using Spillway.Runtimes.Simulated;

namespace Spillway.Tests.Config;

public sealed class ConfigDocsTests
{
    private static readonly Dictionary<string, Type> s_documented = new()
    {
        ["onnx"] = typeof(OnnxOptions), ["simulated"] = typeof(SimulatedOptions),
    };

    [Theory]
    [InlineData("spillway.schema.json")]
    [InlineData("model.schema.json")]
    [InlineData("configuration.md")]
    public void Committed_reference_is_what_the_options_say(string name)
    {
        var text = name switch
        {
            "spillway.schema.json" => ConfigSchema.WriteRoot(),
            "model.schema.json" => ConfigSchema.WriteModel(s_documented),
            _ => ConfigReference.Write(s_documented),
        };
        var path = Path.Combine(ConfigFolder.Repository, "docs", "reference", name);
        if (Environment.GetEnvironmentVariable("SPILLWAY_UPDATE_DOCS") == "1")
            File.WriteAllText(path, text);

        Assert.True(File.Exists(path) && File.ReadAllText(path) == text,
            $"docs/reference/{name} is not current: run the tests with SPILLWAY_UPDATE_DOCS=1 and commit the change.");
    }

    [Fact]
    public void Schema_has_range_default_words_unit_and_refuses_unknown_keys()
    {
        var root = JsonDocument.Parse(ConfigSchema.WriteModel(ConfigFolder.Runtimes)).RootElement;

        var batching = root.GetProperty("properties").GetProperty("batching");
        var length = batching.GetProperty("properties").GetProperty("queueLengthMax");
        Assert.Equal((1, 16384, 256),
            (length.GetProperty("minimum").GetInt32(), length.GetProperty("maximum").GetInt32(),
            length.GetProperty("default").GetInt32()));
        Assert.EndsWith("Unit: requests.", length.GetProperty("description").GetString(), StringComparison.Ordinal);
        Assert.False(batching.GetProperty("additionalProperties").GetBoolean());
        var runtime = root.GetProperty("properties").GetProperty("runtime").GetProperty("enum");
        Assert.Equal(["onnx", "simulated"], runtime.EnumerateArray().Select(w => w.GetString()));
    }

    [Fact]
    public void Reference_names_every_key_of_every_section()
    {
        var page = ConfigReference.Write(ConfigFolder.Runtimes);

        foreach (var type in (Type[])[typeof(ServerOptions), typeof(BatchingOptions), typeof(SimulatedOptions),
            typeof(FakeOnnxOptions)])
            Assert.All(OptionSet.Of(type), m => Assert.Contains($".{m.Key}`", page, StringComparison.Ordinal));
        Assert.Contains("SPILLWAY__MODELS__<NAME>__SERVE__<NAME>__PICTURE__<KEY>", page, StringComparison.Ordinal);
    }
}

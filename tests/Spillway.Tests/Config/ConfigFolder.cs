using Spillway.Config;
using Spillway.Runtimes.Simulated;

namespace Spillway.Tests.Config;

/// <summary>Options of a runtime that only these tests know, with one of each kind of value.</summary>
public sealed record FakeOnnxOptions
{
    /// <summary>A word.</summary>
    [Option("Where it runs.", OneOf = "cpu|cuda")]
    public string Provider { get; init; } = "cpu";

    /// <summary>A whole number.</summary>
    [Option("Threads inside a run.", Unit = "threads", Min = 1, Max = 64)]
    public int IntraOpThreads { get; init; } = 1;

    /// <summary>A switch.</summary>
    [Option("Whether threads spin.")]
    public bool Spinning { get; init; }

    /// <summary>An enum.</summary>
    [Option("How hard the graph is optimised.")]
    public FakeLevel Level { get; init; } = FakeLevel.All;
}

/// <summary>Words of an enum option.</summary>
public enum FakeLevel
{
    /// <summary>None.</summary>
    None,

    /// <summary>Some.</summary>
    OnlyBasic,

    /// <summary>All.</summary>
    All,
}

/// <summary>A configuration in a folder of its own, removed afterwards.</summary>
internal sealed class ConfigFolder : IDisposable
{
    public const string Echo = """
        runtime: simulated
        simulated:
          inputs: { x: "FP32 [-1,4]" }
          outputs: { y: "FP32 [-1,2]" }
          latencyMs: { 1: 2.0, 8: 3.5 }
        """;

    public static readonly IReadOnlyDictionary<string, Type> Runtimes = new Dictionary<string, Type>
    {
        ["onnx"] = typeof(FakeOnnxOptions),
        ["simulated"] = typeof(SimulatedOptions),
    };

    public string Root { get; } = Directory.CreateTempSubdirectory("spillway-config-").FullName;

    public Dictionary<string, string> Environment { get; } = [];

    public static string Repository
    {
        get
        {
            var at = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(at!.FullName, "Spillway.slnx")))
                at = at.Parent;
            return at.FullName;
        }
    }

    /// <summary>A root file that lists one model, echo.</summary>
    public static ConfigFolder WithModel(string model, string root = "models: [echo]\n") =>
        new ConfigFolder().Write("spillway.yaml", root).Write("echo/model.yaml", model);

    public static ConfigFolder WithServer(string root) => WithModel(Echo, root);

    public ConfigFolder Write(string path, string text)
    {
        var full = Path.Combine(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
        return this;
    }

    public ConfigFolder With(string variable, string value)
    {
        Environment[variable] = value;
        return this;
    }

    public string PathOf(string name) => Path.Combine(Root, name);

    public ConfigResult Load() => ConfigLoader.Load(PathOf("spillway.yaml"), Runtimes, Environment);

    public ConfigError OnlyError()
    {
        var result = Load();
        Assert.False(result.Valid);
        Assert.True(result.Errors.Count == 1, ConfigErrorText.Format(result.Errors));
        return result.Errors[0];
    }

    public ConfigResult Valid()
    {
        var result = Load();
        Assert.True(result.Valid, ConfigErrorText.Format(result.Errors));
        return result;
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

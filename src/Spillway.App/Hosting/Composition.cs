using System.Collections;
using Spillway.Config;
using Spillway.Config.Repository;
using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Runtimes.Simulated;

namespace Spillway.App.Hosting;

/// <summary>The composition root: which runtimes there are, and how a configuration is loaded for them.</summary>
internal static class Composition
{
    /// <summary>Every runtime of this executable, by name.</summary>
    public static IReadOnlyDictionary<string, IRuntime> Runtimes { get; } = On(TimeProvider.System);

    /// <summary>Their options classes, for configuration and its reference.</summary>
    public static IReadOnlyDictionary<string, Type> RuntimeOptions { get; } =
        Runtimes.ToDictionary(r => r.Key, r => r.Value.OptionsType);

    /// <summary>The same anew, whose simulated runs take their time on a clock.</summary>
    internal static IReadOnlyDictionary<string, IRuntime> On(TimeProvider time) => new IRuntime[]
    {
        new OnnxRuntime(), new SimulatedRuntime(time),
    }.ToDictionary(r => r.Name);

    /// <summary>Loads a configuration with this process's environment.</summary>
    public static ConfigResult LoadConfig(string file) => ConfigLoader.Load(
        file, RuntimeOptions, Variables(), DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime));

    /// <summary>A reader of a valid configuration's repository; null when it has none.</summary>
    public static RepositoryReader? Repository(ConfigResult loaded) => loaded.Options?.Repository is { } options
        ? Repository(options, loaded.Models) : null;

    /// <summary>A reader of a repository.</summary>
    /// <param name="options">Where.</param>
    /// <param name="others">The models that are configured beside it.</param>
    public static RepositoryReader Repository(RepositoryOptions options, IReadOnlyList<ModelOptions> others) =>
        new(options, RuntimeOptions, Variables(), others);

    /// <summary>This process's environment.</summary>
    public static Dictionary<string, string> Variables() => Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");
}

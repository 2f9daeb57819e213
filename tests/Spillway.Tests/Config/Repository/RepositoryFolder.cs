using Spillway.Config;
using Spillway.Config.Repository;
using Spillway.Runtimes.Onnx;
using Spillway.Runtimes.Simulated;

namespace Spillway.Tests.Config.Repository;

/// <summary>A model repository in a folder of its own, removed afterwards.</summary>
internal sealed class RepositoryFolder : IDisposable
{
    public static readonly IReadOnlyDictionary<string, Type> Runtimes = new Dictionary<string, Type>
    {
        ["onnx"] = typeof(OnnxOptions), ["simulated"] = typeof(SimulatedOptions),
    };

    private readonly ConfigFolder _folder = new();

    public RepositoryFolder() => Directory.CreateDirectory(Root);

    /// <summary>The repository; beside it lies what must not be reached.</summary>
    public string Root => _folder.PathOf("models");

    public RepositoryOptions Options { get; set; } = new();

    public Dictionary<string, string> Environment => _folder.Environment;

    public IReadOnlyList<ModelOptions> Others { get; set; } = [];

    public string PathOf(string path) => Path.Combine(Root, path);

    public RepositoryFolder Write(string path, string text)
    {
        _folder.Write(Path.Combine("models", path), text);
        return this;
    }

    public RepositoryFolder Outside(string path, string text)
    {
        _folder.Write(path, text);
        return this;
    }

    /// <summary>Version folders with a model.onnx each.</summary>
    public RepositoryFolder Versions(string model, params int[] versions)
    {
        foreach (var version in versions)
            Write($"{model}/{version}/model.onnx", $"weights of {version}");
        return this;
    }

    public RepositoryReader Reader() => new(Options with { Path = Root }, Runtimes, Environment, Others);

    public RepositoryView Read() => Reader().Read();

    public RepositoryModel Model(string name, string? overrideJson = null) => Reader().Read(name, overrideJson)!;

    /// <summary>The one version of a model without errors.</summary>
    public ModelOptions Only(string name, string? overrideJson = null)
    {
        var model = Model(name, overrideJson);
        Assert.True(model.Errors.Count == 0, ConfigErrorText.Format(model.Errors));
        return Assert.Single(model.Versions).Options;
    }

    /// <summary>The one error of a model.</summary>
    public ConfigError Error(string name, string? overrideJson = null)
    {
        var errors = Model(name, overrideJson).Errors;
        Assert.True(errors.Count == 1, $"{errors.Count}: {ConfigErrorText.Format(errors)}");
        return errors[0];
    }

    public void Dispose() => _folder.Dispose();
}

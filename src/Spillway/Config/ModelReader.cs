using System.Collections.ObjectModel;
using System.Globalization;
using Spillway.Runtimes.Simulated;

namespace Spillway.Config;

/// <summary>
/// Reads and completes one model's folder. Two steps, because overrides need every deployment's name first.
/// </summary>
/// <param name="folder">Absolute path of the folder.</param>
/// <param name="shown">Its model.yaml as errors name it.</param>
/// <param name="path">Key path: "models[0]".</param>
/// <param name="runtimes">Options classes by runtime.</param>
/// <param name="files">Finds the files that it names.</param>
/// <param name="errors">Takes the errors.</param>
internal sealed class ModelReader(
    string folder, string shown, string path, IReadOnlyDictionary<string, Type> runtimes, ModelFiles files,
        ErrorList errors)
{
    /// <summary>What each model's folder holds.</summary>
    public const string FileName = "model.yaml";

    /// <summary>
    /// Keys of a runtime's section that a model in a repository, whoever put it there, may not set: they reach beyond
    /// the model.
    /// </summary>
    private static readonly (string Key, string[] Allowed, string Problem, string Remedy)[] s_serversOwn =
    [
        ("library", [], "A model in a repository may not choose native code to load.",
            "Remove the key; SPILLWAY_ORT_LIB names the library for the whole server."),
        ("cache", ["off"], "A model in a repository may not choose a folder to write to and delete from.",
            "Write auto or off; SPILLWAY_CACHE names the folder for the whole server."),
        ("cacheBytesMax", [], "A model in a repository may not say how much of the server's cache is kept.",
            "Remove the key; it is for models that the configuration lists."),
    ];

    private readonly OptionBinder _bound = new(errors);
    private ConfigNode _node = ConfigMap.Empty(default);

    /// <summary>Key path of the model.</summary>
    public string Path => path;

    /// <summary>The deployment's name before overrides; valid after <see cref="TryOpen"/>.</summary>
    public string Name { get; private set; } = "";

    /// <summary>Reads the file; false after an error that leaves nothing to look at.</summary>
    public bool TryOpen()
    {
        if (YamlReader.ReadFile(System.IO.Path.Combine(folder, FileName), shown, path, errors) is not { } node)
            return false;
        Use(node);
        return true;
    }

    /// <summary>Takes what was read elsewhere in place of the file.</summary>
    public void Use(ConfigNode node)
    {
        _node = node;
        var written = (node as ConfigMap)?.Find("name")?.Value as ConfigScalar;
        Name = written is { IsNull: false, Text.Length: > 0 } ? written.Text : System.IO.Path.GetFileName(folder);
    }

    /// <summary>True when a key of the top level was written or overridden.</summary>
    public bool Has(string key) => (_node as ConfigMap)?.Find(key) is not null;

    /// <summary>Binds, checks and completes the model; what is wrong is in the errors.</summary>
    public ModelOptions Read(EnvironmentOverrides overrides, IEnumerable<string> names)
    {
        _node = overrides.Model(Name, names, path, _node, runtimes);
        var at = _node.Mark.File?.Length > 0 ? _node.Mark : new(shown, 1, 1);
        var model = (ModelOptions)_bound.Section(typeof(ModelOptions), _node, path, at, [.. runtimes.Keys]);
        if (model.Name.Length == 0)
            model = model with { Name = Name };
        new ModelChecks(_bound, path).All(model);
        Place(model);
        if (model.Serve.Count == 0)
            model = model with { Serve = new Dictionary<string, DoorOptions> { [model.Name] = new() }.AsReadOnly() };
        model = model with { RuntimeOptions = Runtime(model, at), Source = System.IO.Path.Combine(folder, FileName) };
        if (model.RuntimeOptions is SimulatedOptions profile)
            new SimulatedChecks(_bound, path).All(model, profile);
        return model with
        {
            File = ModelFile(model), Outputs = Labels(model.Outputs), Labels = LabelFiles(model.Labels),
        };
    }

    /// <summary>Where a served name stands.</summary>
    public void Report(string key, string value, string problem, string remedy) =>
        _bound.Report($"{path}.{key}", value, problem, remedy);

    /// <summary>What only a model in a repository may say, and what such a one may not.</summary>
    private void Place(ModelOptions model)
    {
        if (!files.IsVersioned)
        {
            if (Has("versions"))
                _bound.Report($"{path}.versions", "", "Only a model in a repository has version folders.",
                    "Remove the section, or move the model into the folder that repository.path names.");
            return;
        }

        var name = System.IO.Path.GetFileName(folder);
        if (model.Name != name)
            _bound.Report($"{path}.name", model.Name, $"In a repository the folder gives the name, which is {name}.",
                "Remove the name or rename the folder; serve gives a model other names.");
        if ((_node as ConfigMap)?.Find(model.Runtime)?.Value is not ConfigMap section)
            return;
        foreach (var (key, allowed, problem, remedy) in s_serversOwn)
        {
            if (section.Find(key) is { Value: ConfigScalar { Text.Length: > 0 } written }
                && !allowed.Contains(written.Text) && !IsDefault(model.Runtime, key, written.Text))
                errors.Add(written.Mark, $"{path}.{model.Runtime}.{key}", written.Text, problem, remedy);
        }
    }

    /// <summary>What stands there anyway may be written, as an effective configuration does.</summary>
    private bool IsDefault(string runtime, string key, string text) => runtimes.TryGetValue(runtime, out var type)
        && OptionSet.Of(type).FirstOrDefault(m => m.Key == key) is { Default: { } value }
        && Convert.ToString(value, CultureInfo.InvariantCulture) == text;

    private object? Runtime(ModelOptions model, Mark at)
    {
        var map = _node as ConfigMap;
        if (!runtimes.TryGetValue(model.Runtime, out var type))
        {
            if (!_bound.Failed($"{path}.runtime"))
            {
                _bound.Report($"{path}.runtime", model.Runtime, "No such runtime.",
                    $"Use one of: {string.Join(", ", runtimes.Keys)}.",
                    Suggestion.Nearest(model.Runtime, runtimes.Keys));
            }

            return null;
        }

        foreach (var other in runtimes.Keys.Where(r => r != model.Runtime))
        {
            if (map?.Find(other) is { } stray)
            {
                errors.Add(stray.KeyMark, $"{path}.{other}", "",
                    $"The section belongs to another runtime; this model's is {model.Runtime}.",
                    $"Remove the section, or set runtime: {other}.");
            }
        }

        var section = map?.Find(model.Runtime);
        return _bound.Section(type, section?.Value, $"{path}.{model.Runtime}", section?.KeyMark ?? at);
    }

    private string ModelFile(ModelOptions model)
    {
        var key = $"{path}.file";
        if (model.RuntimeOptions is null)
            return model.File;
        if (model.RuntimeOptions is not SimulatedOptions)
            return files.IsVersioned ? model.File : Existing(key, model.File, "model file");
        if (_bound.Written(key).Length > 0)
            _bound.Report(key, model.File, "A simulated model has no file.", "Remove the key, or set runtime: onnx.");
        return "";
    }

    private OutputOptions Labels(OutputOptions outputs) => outputs with
    {
        Ctc = outputs.Ctc is { Labels.Length: > 0 } ctc
            ? ctc with { Labels = Existing($"{path}.outputs.ctc.labels", ctc.Labels, "file of labels") }
            : outputs.Ctc,
        TopK = outputs.TopK is { Labels.Length: > 0 } top
            ? top with { Labels = Existing($"{path}.outputs.topK.labels", top.Labels, "file of labels") }
            : outputs.TopK,
    };

    private ReadOnlyDictionary<string, string> LabelFiles(IReadOnlyDictionary<string, string> files) => files
        .ToDictionary(f => f.Key, f => Existing($"{path}.labels.{f.Key}", f.Value, "file of labels")).AsReadOnly();

    /// <summary>The absolute path of a file that must exist, or the text as it was after an error.</summary>
    private string Existing(string key, string text, string what)
    {
        if (_bound.Failed(key))
            return text;
        if (files.Find(text, what, out var problem, out var remedy) is { } found)
            return found;
        _bound.Report(key, text, problem, remedy);
        return text;
    }
}

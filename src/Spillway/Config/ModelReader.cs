using System.Collections.ObjectModel;
using Spillway.Runtimes.Simulated;

namespace Spillway.Config;

/// <summary>
/// Reads and completes one model's folder. Two steps, because overrides need every deployment's name first.
/// </summary>
/// <param name="folder">Absolute path of the folder.</param>
/// <param name="shown">Its model.yaml as errors name it.</param>
/// <param name="path">Key path: "models[0]".</param>
/// <param name="runtimes">Options classes by runtime.</param>
/// <param name="native">Value of SPILLWAY_NATIVE, or null.</param>
/// <param name="errors">Takes the errors.</param>
internal sealed class ModelReader(
    string folder, string shown, string path, IReadOnlyDictionary<string, Type> runtimes, string? native,
        ErrorList errors)
{
    /// <summary>What each model's folder holds.</summary>
    public const string FileName = "model.yaml";

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
        _node = node;
        var written = (node as ConfigMap)?.Find("name")?.Value as ConfigScalar;
        Name = written is { IsNull: false, Text.Length: > 0 } ? written.Text : System.IO.Path.GetFileName(folder);
        return true;
    }

    /// <summary>Binds, checks and completes the model; what is wrong is in the errors.</summary>
    public ModelOptions Read(EnvironmentOverrides overrides, IEnumerable<string> names)
    {
        _node = overrides.Model(Name, names, path, _node, runtimes);
        var at = _node.Mark.Line > 0 ? _node.Mark : new(shown, 1, 1);
        var model = (ModelOptions)_bound.Section(typeof(ModelOptions), _node, path, at, [.. runtimes.Keys]);
        if (model.Name.Length == 0)
            model = model with { Name = Name };
        new ModelChecks(_bound, path).All(model);
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
            return Existing(key, model.File, "model file");
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
        if (NpmPath.Is(text))
        {
            var found = NpmPath.Resolve(text, folder, native);
            if (found.File is null)
                _bound.Report(key, text, found.Problem, found.Remedy);
            return found.File ?? text;
        }

        var full = text.Contains('\0', StringComparison.Ordinal) ? "" : System.IO.Path.GetFullPath(text, folder);
        if (File.Exists(full))
            return full;
        var problem = Directory.Exists(full) ? $"This is a folder, not a {what}: {full}."
            : $"There is no {what} at {ErrorList.Clean(full, 1024)}.";
        _bound.Report(key, text, problem, $"Put the {what} there, or change the path; it is relative to {FileName}.");
        return text;
    }
}

using System.Globalization;
using Spillway.Config.Triton;
using Spillway.Runtimes.Simulated;

namespace Spillway.Config.Repository;

/// <summary>Reads one model folder of a repository, once.</summary>
/// <param name="root">The repository.</param>
/// <param name="options">Its limits.</param>
/// <param name="runtimes">Options classes by runtime.</param>
/// <param name="environment">Variables that override models.</param>
/// <param name="names">Names of all models.</param>
/// <param name="name">Name of this one.</param>
internal sealed class RepositoryModelReader(
    RepositoryRoot root, RepositoryOptions options, IReadOnlyDictionary<string, Type> runtimes,
    IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> names, string name)
{
    /// <summary>Triton's file beside the version folders.</summary>
    public const string TritonFile = "config.pbtxt";

    /// <summary>What errors in a load request's configuration are placed in.</summary>
    public const string OverrideName = "config";

    private readonly ErrorList _errors = new();
    private readonly ErrorList _notes = new();
    private readonly string _folder = Path.Combine(root.Path, name);
    private readonly string _key = $"repository.{name}";

    /// <summary>Everything about the model; what went wrong is in its errors.</summary>
    public RepositoryModel Read(string? overrideJson)
    {
        var model = new RepositoryModel { Name = name, Folder = _folder };
        try
        {
            model = Versions(model, overrideJson);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Report("", $"The folder cannot be read: {ErrorList.Clean(e.Message, 400)}",
                "Check the rights of this user; if files are being copied, the next look will find them.");
        }

        return model with { Errors = _errors.ToArray(), Notes = _notes.ToArray() };
    }

    private RepositoryModel Versions(RepositoryModel model, string? overrideJson)
    {
        if (!root.Holds(_folder, out var real))
        {
            var (problem, remedy) = RepositoryRoot.Escape(_folder, real);
            Report("", problem, remedy);
            return model;
        }

        model = model with
        {
            ConfigFile = ConfigFile(),
            Found = [.. Directory.EnumerateDirectories(_folder).Take(RepositoryReader.EntriesMax)
                .Select(d => VersionPolicy.Number(Path.GetFileName(d))).OfType<int>().Order()],
        };
        if (_errors.Count > 0 || Configuration(model.ConfigFile, overrideJson) is not { } node)
            return model;

        return Bind(model, node);
    }

    private RepositoryModel Bind(RepositoryModel model, ConfigMap node)
    {
        var shown = model.ConfigFile.Length > 0 ? model.ConfigFile : _folder;
        var reader = new ModelReader(_folder, shown, _key, runtimes, new RepositoryFiles(root, _folder), _errors);
        reader.Use(node);
        var bound = reader.Read(new(environment, _errors), environment.Count > 0 ? names : [])
            with { Source = shown, IsFound = true };
        if (_errors.Count > 0)
            return model;
        // A config.pbtxt has no place for an owner.
        if (shown.EndsWith(ModelReader.FileName, StringComparison.Ordinal) && OwnerNotes.Of(reader, bound) is { } note)
            _notes.Add(new(note.File, note.Line, note.Column), note.Key, "", note.Problem, note.Remedy);

        var free = bound.RuntimeOptions is SimulatedOptions && model.Found.Count == 0;
        if (reader.Has("version") && !free)
            reader.Report("version", $"{bound.Version}", "In a repository the folder gives the version.",
                "Remove the key.");
        IReadOnlyList<int> chosen = free ? [bound.Version] : Choose(bound, model.Found);
        return _errors.Count > 0 ? model
            : model with { Versions = [.. chosen.Select(v => Version(bound, v, free)).OfType<RepositoryVersion>()] };
    }

    private string ConfigFile()
    {
        var (yaml, triton) = (Path.Combine(_folder, ModelReader.FileName), Path.Combine(_folder, TritonFile));
        var (hasYaml, hasTriton) = (File.Exists(yaml), File.Exists(triton));
        if (hasYaml && hasTriton)
        {
            Report("", $"There are both {yaml} and {triton}; only one can hold.", "Keep one and remove the other.");
            return "";
        }

        var file = hasYaml ? yaml : hasTriton ? triton : "";
        if (file.Length > 0 && !root.Holds(file, out var real))
        {
            var (problem, remedy) = RepositoryRoot.Escape(file, real);
            Report("", problem, remedy);
        }

        return file;
    }

    /// <summary>The model's own configuration with the override laid over it, as nodes of a model.yaml.</summary>
    private ConfigMap? Configuration(string file, string? overrideJson)
    {
        var mapping = new TritonMapping(_key, runtimes, _errors, _notes);
        ProtoMessage? over = null;
        if (overrideJson is not null)
        {
            over = TritonConfig.ReadJson(overrideJson, OverrideName, _key, _errors);
            if (over is null)
                return null;
        }

        if (file.EndsWith(TritonFile, StringComparison.Ordinal))
        {
            var own = TritonConfig.ReadFile(file, file, _key, _errors);
            return own is null ? null : mapping.Map(over is null ? own : TritonConfig.Merge(own, over));
        }

        ConfigNode? node = file.Length == 0 ? ConfigMap.Empty(new(_folder, 0, 0))
            : YamlReader.ReadFile(file, file, _key, _errors);
        if (node is not null and not ConfigMap)
        {
            _errors.Add(node.Mark, _key, "", "The file holds no keys.", "Write \"key: value\" lines.");
            return null;
        }

        return node is ConfigMap map && over is not null ? (ConfigMap)ModelTree.Merge(map, mapping.Map(over))
            : node as ConfigMap;
    }

    private IReadOnlyList<int> Choose(ModelOptions model, IReadOnlyList<int> found)
    {
        if (found.Count == 0)
        {
            var stray = File.Exists(Path.Combine(_folder, model.File)) ? $" Move {model.File} into it." : "";
            Report("", "There is no version folder.",
                $"Create {Path.Combine(_folder, "1")} with the model file.{stray}");
            return [];
        }

        var chosen = VersionPolicy.Choose(model.Versions, found, out var missing);
        foreach (var version in missing)
        {
            Report(".versions.only", $"There is no folder for version {version}; found are {List(found)}.",
                "Add the folder, or take the version out of the policy.", $"{version}");
        }

        if (chosen.Count > options.VersionsMax)
        {
            Report(".versions",
                $"The policy chooses {chosen.Count} versions; at most {options.VersionsMax} are served.",
                "Choose fewer, or raise repository.versionsMax.");
        }

        return chosen;
    }

    private RepositoryVersion? Version(ModelOptions bound, int number, bool free)
    {
        var folder = Path.Combine(_folder, number.ToString(CultureInfo.InvariantCulture));
        var model = bound with { Version = number };
        var (problem, remedy) = ("", "");
        if (bound.RuntimeOptions is not SimulatedOptions)
        {
            var file = root.Find(folder, bound.File, "model file", out problem, out remedy);
            model = model with { File = file ?? "" };
        }

        string? print = null;
        var fingerprint = new Fingerprint(root);
        if (problem.Length == 0)
            print = fingerprint.Of(model, free ? null : folder, out problem, out remedy);
        if (print is not null)
            return new(number, model, print) { ChangedUtc = fingerprint.ChangedUtc };
        Report($".{number}", problem, remedy);
        return null;
    }

    private static string List(IReadOnlyList<int> versions) =>
        string.Join(", ", versions.Take(20)) + (versions.Count > 20 ? " …" : "");

    private void Report(string key, string problem, string remedy, string value = "") =>
        _errors.Add(new(_folder, 0, 0), _key + key, value, problem, remedy);
}

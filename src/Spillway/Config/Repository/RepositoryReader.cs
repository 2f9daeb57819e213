namespace Spillway.Config.Repository;

/// <summary>
/// Reads a repository's folder into an immutable view. A broken model has its errors and never hides the others. Reads
/// names, sizes, times and configuration files, never weights. Keeps no state; safe for concurrent use.
/// </summary>
public sealed class RepositoryReader
{
    /// <summary>Most entries of one folder that are looked at.</summary>
    public const int EntriesMax = 20_000;

    private const string Variables = EnvironmentOverrides.Prefix + "MODELS__";

    private readonly RepositoryOptions _options;
    private readonly IReadOnlyDictionary<string, Type> _runtimes;
    private readonly Dictionary<string, string> _environment;
    private readonly string[] _others;
    private readonly HashSet<string> _taken;

    /// <summary>Reads nothing yet.</summary>
    /// <param name="options">Where; its path is absolute.</param>
    /// <param name="runtimes">The options class of each runtime by its name.</param>
    /// <param name="environment">Environment variables; those with SPILLWAY__MODELS__ override.</param>
    /// <param name="others">The models that spillway.yaml lists: their names are taken.</param>
    public RepositoryReader(RepositoryOptions options, IReadOnlyDictionary<string, Type> runtimes,
        IReadOnlyDictionary<string, string> environment, IReadOnlyList<ModelOptions> others)
    {
        (_options, _runtimes) = (options, runtimes);
        _environment = environment.Where(v => v.Key.StartsWith(Variables, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(v => v.Key, v => v.Value);
        _others = [.. others.Select(m => m.Name)];
        _taken = [.. others.SelectMany(m => m.Serve.Keys.Append(m.Name))];
    }

    private RepositoryReader(RepositoryReader like, string path)
    {
        (_options, _runtimes) = (like._options with { Path = path }, like._runtimes);
        (_environment, _others, _taken) = (like._environment, like._others, like._taken);
    }

    /// <summary>A reader by the same rules of another folder, such as one that an upload made.</summary>
    /// <param name="path">Absolute.</param>
    public RepositoryReader At(string path) => new(this, path);

    /// <summary>Reads everything.</summary>
    public RepositoryView Read()
    {
        var errors = new ErrorList();
        if (Open(errors) is not { } root)
            return new() { Root = _options.Path, Errors = errors.ToArray(), IsComplete = false };
        var complete = TryList(root, errors, out var names);
        var models = names.ConvertAll(name => One(root, name, names, overrides: null));
        Finish(errors, names);
        return new()
        {
            Root = root.Path, Models = RepositoryNames.Separate(models, _taken), Errors = errors.ToArray(),
            IsComplete = complete,
        };
    }

    /// <summary>Reads one model; null when there is no folder of that name.</summary>
    /// <param name="name">Name of the folder.</param>
    /// <param name="overrideJson">
    /// A configuration in Triton's JSON form that is laid over the model's own: what the load request's parameter
    /// config carries. Null for none.
    /// </param>
    public RepositoryModel? Read(string name, string? overrideJson = null)
    {
        var errors = new ErrorList();
        if (!ModelChecks.IsName(name) || Open(errors) is not { } root
            || !Directory.Exists(Path.Combine(root.Path, name)))
            return null;
        TryList(root, errors, out var names);
        var model = One(root, name, names, overrideJson);
        return RepositoryNames.Separate([model], [.. _taken, .. names.Where(n => n != name)])[0];
    }

    private RepositoryModel One(RepositoryRoot root, string name, List<string> names, string? overrides) =>
        new RepositoryModelReader(root, _options, _runtimes, _environment, names, name).Read(overrides);

    private RepositoryRoot? Open(ErrorList errors)
    {
        try
        {
            if (Directory.Exists(_options.Path))
                return new(_options.Path);
            errors.Add(new(_options.Path, 0, 0), "repository", "", "The repository's folder is gone.",
                "Bring it back; what is served stays as it is until then.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Add(new(_options.Path, 0, 0), "repository", "",
                $"The repository's folder cannot be read: {e.Message}",
                "Check the path and the rights of this user.");
        }

        return null;
    }

    /// <summary>The names of the model folders, ordered; false when there may be more.</summary>
    private bool TryList(RepositoryRoot root, ErrorList errors, out List<string> names)
    {
        names = [];
        try
        {
            var entries = Directory.EnumerateDirectories(root.Path).Take(EntriesMax).Select(d => Path.GetFileName(d))
                .Where(n => n[0] != '.' && n != "lost+found").Order(StringComparer.Ordinal);
            foreach (var name in entries)
            {
                if (ModelChecks.IsName(name))
                    names.Add(name);
                else
                    errors.Add(new(Path.Combine(root.Path, name), 0, 0), "repository", name,
                        "This folder's name cannot name a model.",
                        "Use 1 to 128 letters, digits, dots, underscores and dashes.");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Add(new(root.Path, 0, 0), "repository", "", $"The repository's folder cannot be read: {e.Message}",
                "Check the path and the rights of this user.");
            return false;
        }

        if (names.Count <= _options.ModelsMax)
            return true;
        errors.Add(new(root.Path, 0, 0), "repository.modelsMax", $"{names.Count}",
            $"There are more model folders than modelsMax ({_options.ModelsMax}); those from "
            + $"{names[_options.ModelsMax]} on are left out.", "Raise repository.modelsMax, or move some away.");
        names.RemoveRange(_options.ModelsMax, names.Count - _options.ModelsMax);
        return false;
    }

    /// <summary>Names to load and variables that name no model at all.</summary>
    private void Finish(ErrorList errors, List<string> names)
    {
        foreach (var name in _options.Load.Where(n => n != "*" && !names.Contains(n)))
        {
            errors.Add(new(_options.Path, 0, 0), "repository.load", name, "There is no folder of that name to load.",
                "Add it, or take the name out of repository.load.", Suggestion.Nearest(name, names));
        }

        if (_environment.Count == 0)
            return;
        var overrides = new EnvironmentOverrides(_environment, errors);
        overrides.Skip([.. names, .. _others]);
        overrides.Finish([.. names, .. _others]);
    }
}

/// <summary>Served names over all models of a repository.</summary>
internal static class RepositoryNames
{
    /// <summary>
    /// Takes the versions from a model that serves a name which is another's: of spillway.yaml, of a folder, or of a
    /// model before it.
    /// </summary>
    public static IReadOnlyList<RepositoryModel> Separate(List<RepositoryModel> models,
        IReadOnlyCollection<string> taken)
    {
        var owners = models.ToDictionary(m => m.Name, m => m.Name, StringComparer.Ordinal);
        return models.ConvertAll(model =>
        {
            var errors = new ErrorList();
            var names = model.Versions.SelectMany(v => v.Options.Serve.Keys).Append(model.Name).Distinct();
            foreach (var name in names)
            {
                var owner = taken.Contains(name) ? "A model outside of this folder"
                    : owners.TryAdd(name, model.Name) || owners[name] == model.Name ? "" : $"The model {owners[name]}";
                if (owner.Length > 0)
                {
                    errors.Add(new(model.ConfigFile.Length > 0 ? model.ConfigFile : model.Folder, 0, 0),
                        $"repository.{model.Name}", name, $"{owner} has or serves the same name.",
                        "Give each served name to one model: rename one of the two.");
                }
            }

            return errors.Count == 0 ? model
                : model with { Versions = [], Errors = [.. model.Errors, .. errors.ToArray()] };
        });
    }
}

using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Spillway.Config.Embedded;

/// <summary>
/// The configuration of a server inside somebody's application: from a section of its configuration, from its code, or
/// from both. The same keys, the same checks and the same texts as those of spillway.yaml. Never throws for what a
/// person wrote.
/// </summary>
public sealed class EmbeddedConfig
{
    private static readonly Dictionary<string, string> s_noVariables = [];

    private readonly ErrorList _errors = new();
    private int _next;

    /// <summary>The section with spillway.yaml's keys; null for none.</summary>
    public IConfigurationSection? Section { get; init; }

    /// <summary>
    /// Settings made in code; a top-level key that is not at its default wins over the section's. Its list of folders
    /// is used too.
    /// </summary>
    public SpillwayOptions Settings { get; init; } = new();

    /// <summary>Models made in code.</summary>
    public IReadOnlyList<ModelOptions> Models { get; init; } = [];

    /// <summary>The options class of each known runtime by its name.</summary>
    public required IReadOnlyDictionary<string, Type> RuntimeOptions { get; init; }

    /// <summary>Absolute folder that relative paths start from.</summary>
    public required string Folder { get; init; }

    /// <summary>The day, UTC, on which prices must hold; null does not check that.</summary>
    public DateOnly? Today { get; init; }

    /// <summary>Value of SPILLWAY_NATIVE, which finds npm: files; null for none.</summary>
    public string? Native { get; init; }

    /// <summary>Binds and checks everything. Call once.</summary>
    public ConfigResult Load()
    {
        var source = Section is null ? "code" : Section.Path;
        var at = new Mark(source, 0, 0);
        var root = Section is null ? ConfigMap.Empty(at) : SectionTree.Of(Section, typeof(SpillwayOptions));
        var bound = new OptionBinder(_errors);
        var listed = new List<(string Key, ModelReader Reader)>();
        if (root is ConfigMap map)
            root = Compose(map);
        var options = (SpillwayOptions)bound.Section(typeof(SpillwayOptions), root, "", at);
        Open(listed);
        options = options with { Models = [.. listed.Select(l => l.Key)] };
        RootChecks.Server(options.Server, bound);
        options = RootChecks.Access(options, bound, Path.Combine(Folder, ConfigLoader.FileName));
        if (_errors.Count == 0)
            RootChecks.Models(options, bound);
        if (options.Repository is { } repository)
        {
            options = options with
            {
                Repository = RootChecks.Repository(repository, bound, Path.Combine(Folder, ConfigLoader.FileName)),
            };
        }

        RootChecks.Telemetry(options.Telemetry, bound);
        var prices = new PriceChecks(bound, Today);
        options = prices.Read(options, Folder, _errors);
        options = ProofChecks.Complete(options, bound, Folder);
        var overrides = new EnvironmentOverrides(s_noVariables, _errors);
        var readers = listed.ConvertAll(l => l.Reader);
        var names = readers.ConvertAll(r => r.Name);
        var models = readers.ConvertAll(r => r.Read(overrides, names));
        ConfigLoader.Unique(readers, models);
        ConfigLoader.Grouped(readers, models, options.Groups);
        GuardChecks.Check(options, models, tenants: [.. options.Tenants.Keys], bound);
        prices.All(options, models);
        ProofChecks.Models(readers, models, options, bound);
        return _errors.Count > 0
            ? new() { Source = source, Errors = _errors.ToArray() }
            : new()
            {
                Source = source, Options = options, Models = models.AsReadOnly(),
                Notes = AccessChecks.Notes(options, bound, source),
            };
    }

    /// <summary>The root without its list of models, with what the code says.</summary>
    private ConfigMap Compose(ConfigMap root)
    {
        const string Models = "models";
        root = root with { Entries = [.. root.Entries.Where(e => e.Key != Models)] };
        foreach (var entry in OptionTree.Of(Settings, new("the settings in code", 0, 0)).Entries)
        {
            if (entry.Key != Models)
                root = root.With(entry.Key, entry.Value);
        }

        return root;
    }

    private void Open(List<(string Key, ModelReader Reader)> listed)
    {
        // Found among the children and not by name, so that errors have the case in which it was written.
        var list = Section?.GetChildren().FirstOrDefault(
            c => c.Key.Equals("models", StringComparison.OrdinalIgnoreCase));
        foreach (var item in list is null ? [] : SectionTree.Items(list))
        {
            if (item.Value is { Length: > 0 } folder)
                OpenFolder(folder, item.Path, listed);
            else
                Use(SectionTree.Of(item, typeof(ModelOptions), RuntimeOptions), item.Path, listed);
        }

        foreach (var folder in Settings.Models)
            OpenFolder(folder, "the settings in code", listed);
        for (var i = 0; i < Models.Count; i++)
        {
            var mark = new Mark($"Models[{i.ToString(CultureInfo.InvariantCulture)}] in code", 0, 0);
            var node = OptionTree.Of(Models[i], mark);
            if (Models[i].RuntimeOptions is { } own)
                node = Runtime(node, Models[i], own, mark);
            Use(node, mark.File, listed);
        }
    }

    private ConfigMap Runtime(ConfigMap node, ModelOptions model, object own, Mark mark)
    {
        if (!RuntimeOptions.TryGetValue(model.Runtime, out var type) || type.IsInstanceOfType(own))
            return node.With(model.Runtime, OptionTree.Of(own, mark));
        _errors.Add(mark, $"{NextKey}.{model.Runtime}", own.GetType().Name,
            $"The runtime {model.Runtime} takes {type.Name}.", $"Set RuntimeOptions to one, or set Runtime.");
        return node;
    }

    private string NextKey => $"models[{_next.ToString(CultureInfo.InvariantCulture)}]";

    private void OpenFolder(string text, string place, List<(string Key, ModelReader Reader)> listed)
    {
        var key = NextKey;
        _next++;
        if (text.Contains('\0', StringComparison.Ordinal))
            text = "";
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(text, Folder));
        if (!ConfigLoader.IsModelFolder(folder, out var problem, out var remedy))
        {
            _errors.Add(new(place, 0, 0), key, text, problem, remedy);
            return;
        }

        var shown = Path.Combine(text, ModelReader.FileName);
        var reader = new ModelReader(
            folder, shown, key, RuntimeOptions, new FolderFiles(folder, Native), _errors);
        if (reader.TryOpen())
            listed.Add((key, reader));
    }

    private void Use(ConfigNode node, string place, List<(string Key, ModelReader Reader)> listed)
    {
        var key = NextKey;
        _next++;
        if (node is ConfigMap map && map.Find("name") is not { Value: ConfigScalar { Text.Length: > 0 } })
        {
            _errors.Add(new(place, 0, 0), $"{key}.name", "", "The model has no name.",
                "Give it one: clients call it by that.");
        }

        var reader = new ModelReader(Folder, place, key, RuntimeOptions, new FolderFiles(Folder, Native), _errors);
        reader.Use(node);
        listed.Add((key, reader));
    }
}

namespace Spillway.Config;

/// <summary>
/// Environment variables that override files: SPILLWAY__SERVER__PORT=8080,
/// SPILLWAY__MODELS__LINE_OCR__BATCHING__QUEUELENGTHMAX=64. Case does not matter; two underscores separate; a dash in
/// a name may be written as one underscore. Values are YAML, text options take theirs literally. Errors name the
/// variable in place of a file.
/// </summary>
internal sealed class EnvironmentOverrides
{
    /// <summary>What every override begins with.</summary>
    public const string Prefix = "SPILLWAY__";

    private const string Models = "MODELS__";

    private static readonly Dictionary<string, Type> s_noSections = [];

    private readonly ErrorList _errors;
    private readonly List<(string Name, string Tail, string Value)> _open;

    /// <summary>Takes the variables with the prefix; others are none of our business.</summary>
    public EnvironmentOverrides(IReadOnlyDictionary<string, string> environment, ErrorList errors)
    {
        _errors = errors;
        _open =
        [
            .. from pair in environment
               where pair.Key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
               select (pair.Key, pair.Key[Prefix.Length..], pair.Value),
        ];
        _open.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
    }

    /// <summary>The root file with its overrides; those of models wait.</summary>
    public ConfigNode Root(ConfigNode root)
    {
        var mine = Take(rest => !rest.StartsWith(Models, StringComparison.OrdinalIgnoreCase));
        return mine.Aggregate(root, (node, x) => Apply(node, typeof(SpillwayOptions), x.Tail, x, "", s_noSections));
    }

    /// <summary>A model's file with the overrides that name it.</summary>
    /// <param name="name">The deployment's name as its file says.</param>
    /// <param name="others">Names of the other deployments, of which a longer one may own a variable.</param>
    /// <param name="path">Key path of the model.</param>
    /// <param name="model">Its file.</param>
    /// <param name="sections">Options classes by runtime.</param>
    public ConfigNode Model(
        string name, IEnumerable<string> others, string path, ConfigNode model, IReadOnlyDictionary<string,
            Type> sections)
    {
        var start = $"{Models}{Fold(name)}__";
        var longer = others.Select(o => $"{Models}{Fold(o)}__")
            .Where(o => o.Length > start.Length && o.StartsWith(start, StringComparison.Ordinal)).ToArray();
        var mine = Take(rest => Fold(rest).StartsWith(start, StringComparison.Ordinal)
            && !Array.Exists(longer, l => Fold(rest).StartsWith(l, StringComparison.Ordinal)));
        return mine.Aggregate(model,
            (node, x) => Apply(node, typeof(ModelOptions), x.Tail[start.Length..], x, path, sections));
    }

    /// <summary>Puts aside what names one of these models, without looking at it.</summary>
    public void Skip(IReadOnlyCollection<string> names)
    {
        var starts = names.Select(n => $"{Models}{Fold(n)}__").ToArray();
        Take(rest => Array.Exists(starts, s => Fold(rest).StartsWith(s, StringComparison.Ordinal)));
    }

    /// <summary>Reports what named no model.</summary>
    public void Finish(IReadOnlyCollection<string> names)
    {
        foreach (var (name, rest, value) in Take(_ => true))
        {
            var parts = rest[Models.Length..].Split("__", 2);
            var near = Suggestion.Nearest(parts[0], names);
            var meant = near.Length == 0 ? ""
                : $"{Prefix}{Models}{Upper(near)}{(parts.Length > 1 ? "__" + parts[1] : "")}";
            _errors.Add(new(name, 0, 0), $"models.{parts[0]}", value, "The variable names no model.",
                names.Count == 0 ? "No model could be read." : $"Models here: {string.Join(", ", names)}.", meant);
        }
    }

    private List<(string Name, string Tail, string Value)> Take(Func<string, bool> mine)
    {
        var taken = _open.Where(x => mine(x.Tail)).ToList();
        _open.RemoveAll(x => mine(x.Tail));
        return taken;
    }

    private ConfigNode Apply(ConfigNode root, Type type, string rest, (string Name, string Tail, string Value) variable,
        string path, IReadOnlyDictionary<string, Type> sections) =>
        new Overlay(_errors, variable.Name, variable.Value, rest.Split("__"), sections)
            .Set(root, new(OptionKind.Section, type), 0, path) ?? root;

    /// <summary>A name as a variable holds it: dots and dashes become underscores.</summary>
    private static string Fold(string name) => Upper(name).Replace('.', '_');

    private static string Upper(string name) => name.ToUpperInvariant().Replace('-', '_');

    /// <summary>One variable on its way down to the key that it sets.</summary>
    private sealed class Overlay(
        ErrorList errors, string variable, string value, string[] segments, IReadOnlyDictionary<string, Type> sections)
    {
        private readonly Mark _at = new(variable, 0, 0);

        /// <summary>The node with the value set, or null where nothing changes because of an error.</summary>
        public ConfigNode? Set(ConfigNode? node, OptionShape shape, int i, string path)
        {
            if (i == segments.Length)
                return Leaf(node, shape, path);
            if (shape.Kind is not (OptionKind.Section or OptionKind.Map))
            {
                Report(path, $"{Named(i)} takes {OptionText.Expected(shape)} and has no keys below it.",
                    $"Set {Named(i)} as a whole.", Named(i));
                return null;
            }

            var map = node switch
            {
                null => ConfigMap.Empty(_at),
                ConfigScalar { IsNull: true } => ConfigMap.Empty(node.Mark),
                _ => node as ConfigMap, // anything else is wrong already and will be reported in its file
            };
            if (map is null || (shape.Kind == OptionKind.Map ? Existing(map, shape, i, path)
                : Member(shape, i, path)) is not var (key, inner))
                return null;
            var fresh = Set(map.Find(key)?.Value, inner, i + 1, OptionBinder.Join(path, key));
            return fresh is null ? null : map.With(key, fresh);
        }

        private ConfigNode? Leaf(ConfigNode? old, OptionShape shape, string path)
        {
            if (old is { Mark.IsVariable: true })
            {
                Report(path, $"{old.Mark.File} sets the same key.", "Keep one of the two variables.", "");
                return null;
            }

            if (shape.Kind is OptionKind.Text or OptionKind.Word)
                return new ConfigScalar(_at, value, Plain: false);
            return YamlReader.ReadVariable(value, variable, path, errors);
        }

        private (string Key, OptionShape Shape)? Member(OptionShape shape, int i, string path)
        {
            var members = OptionSet.Of(shape.Type).Select(m => (m.Key, m.Shape));
            if (shape.Type == typeof(ModelOptions))
                members = members.Concat(sections.Select(s => (s.Key, new OptionShape(OptionKind.Section, s.Value))));
            var known = members.ToArray();
            foreach (var member in known)
            {
                if (Suggestion.Plain(member.Key) == Suggestion.Plain(segments[i]))
                    return member;
            }

            NoSuch(known.Select(k => k.Key), i, path);
            return null;
        }

        private (string Key, OptionShape Shape)? Existing(ConfigMap map, OptionShape shape, int i, string path)
        {
            var found = map.Entries.Where(e => Fold(e.Key) == Fold(segments[i])).ToArray();
            if (found.Length == 1)
                return (found[0].Key, shape.Element!);
            NoSuch(map.Entries.Select(e => e.Key), i, path);
            return null;
        }

        private void NoSuch(IEnumerable<string> known, int i, string path)
        {
            var names = known.ToArray();
            var near = Suggestion.Nearest(segments[i], names);
            var tail = string.Concat(segments.Skip(i + 1).Select(s => "__" + s));
            var list = names.Length == 0
                ? "There are no keys here."
                : $"Known here: {string.Join(", ", names.Select(Upper))}.";
            Report(OptionBinder.Join(path, segments[i]), "The variable names no option.", list,
                near.Length == 0 ? "" : $"{Named(i)}__{Upper(near)}{tail}");
        }

        /// <summary>The variable up to a segment.</summary>
        private string Named(int count)
        {
            var cut = segments.Skip(count).Sum(s => s.Length + 2);
            return variable[..Math.Max(0, variable.Length - cut)];
        }

        private void Report(string path, string problem, string remedy, string suggestion) =>
            errors.Add(_at, path, value, problem, remedy, suggestion);
    }
}

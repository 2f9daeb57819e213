using System.Collections.ObjectModel;
using System.Globalization;

namespace Spillway.Config;

/// <summary>
/// Fills options records from nodes. Never stops at an error: what is wrong is reported and keeps its default, so
/// that one pass finds everything. Remembers where each key stood, for checks that come later.
/// </summary>
internal sealed class OptionBinder(ErrorList errors)
{
    private readonly ScalarReader _scalars = new(errors);
    private readonly Dictionary<string, (Mark At, string Text)> _places = new(StringComparer.Ordinal);

    /// <summary>Where a key stands, or the nearest section above it.</summary>
    public Mark Place(string path)
    {
        for (var at = path; ; at = at[..Math.Max(0, at.LastIndexOfAny(['.', '[']))])
        {
            if (_places.TryGetValue(at, out var found))
                return found.At;
            if (at.Length == 0)
                return default;
        }
    }

    /// <summary>The key's value as written; empty when it is absent or no single value.</summary>
    public string Written(string path) => _places.TryGetValue(path, out var found) ? found.Text : "";

    /// <summary>Reports a rule that a bound value breaks, at its place.</summary>
    public void Report(string path, string value, string problem, string remedy, string suggestion = "") =>
        errors.Add(Place(path), path, value, problem, remedy, suggestion);

    /// <summary>True when that key or one below it was reported already.</summary>
    public bool Failed(string path) => errors.Has(path);

    /// <summary>An instance of <paramref name="type"/> with everything that could be read.</summary>
    /// <param name="type">An options class.</param>
    /// <param name="node">What was written, or null for nothing.</param>
    /// <param name="path">Key path of the section; empty for the root.</param>
    /// <param name="at">Where the section is declared.</param>
    /// <param name="others">Keys that someone else reads.</param>
    public object Section(Type type, ConfigNode? node, string path, Mark at, IReadOnlyCollection<string>? others = null)
    {
        _places[path] = (at, "");
        var result = Activator.CreateInstance(type)!;
        var members = OptionSet.Of(type);
        if (node is not (null or ConfigMap or ConfigScalar { IsNull: true }))
        {
            WrongKind(node, new(OptionKind.Section, type), path, at);
            return result;
        }

        var map = node as ConfigMap ?? ConfigMap.Empty(at);
        foreach (var entry in map.Entries)
        {
            if (members.All(m => m.Key != entry.Key) && others?.Contains(entry.Key) != true)
                Unknown(entry, members, others ?? [], path);
        }

        foreach (var member in members)
        {
            var key = Join(path, member.Key);
            if (map.Find(member.Key) is { } entry)
            {
                if (Value(entry.Value, member.Shape, member.Option, member.Default, key, entry.Place) is { } value)
                    member.Property.SetValue(result, value);
            }
            else if (member.Option.Required)
            {
                errors.Add(at, key, "", $"The key {member.Key} is missing.", member.Option.Description);
            }
        }

        return result;
    }

    private object? Value(ConfigNode node, OptionShape shape, OptionAttribute option, object? fallback, string path,
        Mark at)
    {
        _places[path] = (at, (node as ConfigScalar)?.Text ?? "");
        return (shape.Kind, node) switch
        {
            (OptionKind.Section, _) => Section(shape.Type, node, path, at),
            (OptionKind.List, ConfigList list) => List(list, shape.Element!, option, path, at),
            (OptionKind.Map, ConfigMap map) => Map(map, shape, option, path, at),
            (OptionKind.List or OptionKind.Map, ConfigScalar { IsNull: true }) => Nothing(option, path, at),
            (OptionKind.List or OptionKind.Map, _) => WrongKind(node, shape, path, at),
            (_, ConfigScalar scalar) => _scalars.Read(scalar, shape, option, fallback, path, at),
            _ => WrongKind(node, shape, path, at),
        };
    }

    private object? List(ConfigList list, OptionShape element, OptionAttribute option, string path, Mark at)
    {
        if (list.Items.Count == 0 && option.Required)
            return Nothing(option, path, at);
        var items = Array.CreateInstance(element.Type, list.Items.Count);
        for (var i = 0; i < list.Items.Count; i++)
        {
            var item = list.Items[i];
            var value = Value(item, element, option, null, $"{path}[{i.ToString(CultureInfo.InvariantCulture)}]",
                item.Mark);
            if (value is null)
                return null;
            items.SetValue(value, i);
        }

        return Activator.CreateInstance(typeof(ReadOnlyCollection<>).MakeGenericType(element.Type), items);
    }

    private object? Map(ConfigMap map, OptionShape shape, OptionAttribute option, string path, Mark at)
    {
        if (map.Entries.Count == 0 && option.Required)
            return Nothing(option, path, at);
        var types = new[] { shape.Key!, shape.Element!.Type };
        var ordered = typeof(OrderedDictionary<,>).MakeGenericType(types);
        var values = (System.Collections.IDictionary)Activator.CreateInstance(ordered)!;
        var complete = true;
        foreach (var entry in map.Entries)
        {
            var name = Join(path, entry.Key);
            var key = Key(entry, shape.Key!, name);
            // Everything inside is read even after an error, so that all errors are found at once.
            var value = Value(entry.Value, shape.Element, option, null, name, entry.Place);
            if (key is null || value is null)
                complete = false;
            else if (!values.Contains(key))
                values.Add(key, value);
        }

        return complete ? Activator.CreateInstance(typeof(ReadOnlyDictionary<,>).MakeGenericType(types), values) : null;
    }

    private object? Key(ConfigEntry entry, Type type, string path)
    {
        if (type == typeof(string))
            return entry.Key;
        if (int.TryParse(entry.Key, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number.ToString(CultureInfo.InvariantCulture) == entry.Key)
        {
            return number;
        }

        errors.Add(entry.KeyMark, path, entry.Key, "The key is not a whole number.",
            "Write a whole number before the colon.");
        return null;
    }

    private object? Nothing(OptionAttribute option, string path, Mark at)
    {
        if (option.Required)
            errors.Add(at, path, "", "The key holds nothing.", option.Description);
        return null;
    }

    private object? WrongKind(ConfigNode node, OptionShape shape, string path, Mark at)
    {
        var (value, found) = node switch
        {
            ConfigScalar scalar => (scalar.Text, "a single value"),
            ConfigList => ("", "a list"),
            _ => ("", "a mapping"),
        };
        var remedy = shape.Kind switch
        {
            OptionKind.List => "Write [a, b], or one \"- item\" a line.",
            OptionKind.Map or OptionKind.Section => "Write \"key: value\" lines, indented below it.",
            _ => $"Write {OptionText.Expected(shape)} after the colon.",
        };
        errors.Add(at, path, value, $"Here belongs {OptionText.Expected(shape)}; this is {found}.", remedy);
        return null;
    }

    private void Unknown(ConfigEntry entry, IReadOnlyList<OptionMember> members, IEnumerable<string> others,
        string path)
    {
        var known = members.Select(m => m.Key).Concat(others).ToArray();
        var elsewhere = Deeper(entry.Key, members, "");
        var near = elsewhere.Length > 0 ? elsewhere : Suggestion.Nearest(entry.Key, known);
        var remedy = entry.Key == "<<"
            ? "Merge keys are not supported: repeat the keys."
            : $"Known here: {string.Join(", ", known)}.";
        var value = (entry.Value as ConfigScalar)?.Text ?? "";
        errors.Add(entry.KeyMark, Join(path, entry.Key), value, "The key is unknown.", remedy, near);
    }

    /// <summary>"batching.queueLengthMax" for a key that was written one or more sections too high.</summary>
    private static string Deeper(string key, IReadOnlyList<OptionMember> members, string path)
    {
        foreach (var member in members.Where(m => m.Shape.Kind == OptionKind.Section))
        {
            var inside = OptionSet.Of(member.Shape.Type);
            if (inside.FirstOrDefault(m => Suggestion.Plain(m.Key) == Suggestion.Plain(key)) is { } found)
                return $"{path}{member.Key}.{found.Key}";
            if (Deeper(key, inside, $"{path}{member.Key}.") is { Length: > 0 } deep)
                return deep;
        }

        return "";
    }

    /// <summary>A key below a section.</summary>
    public static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
}

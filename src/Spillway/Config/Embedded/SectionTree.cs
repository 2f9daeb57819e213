using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Spillway.Config.Embedded;

/// <summary>
/// A section of .NET's configuration (appsettings.json, variables, secrets) as the tree that the binder reads. Keys are
/// matched without regard to case, as .NET does; errors name the section's path: "Spillway:Server:BodyBytesMax".
/// </summary>
internal static class SectionTree
{
    /// <summary>A section of options.</summary>
    /// <param name="section">Where.</param>
    /// <param name="type">The options class.</param>
    /// <param name="others">Sections that someone else reads, by key: those of a model's runtimes.</param>
    public static ConfigNode Of(
        IConfigurationSection section, Type type, IReadOnlyDictionary<string, Type>? others = null)
    {
        var known = OptionSet.Of(type).Select(m => (m.Key, m.Shape))
            .Concat((others ?? new Dictionary<string, Type>())
                .Select(o => (o.Key, Shape: new OptionShape(OptionKind.Section, o.Value)))).ToArray();
        var children = section.GetChildren().ToArray();
        if (children.Length == 0)
            return section.Value is { Length: > 0 } ? Scalar(section, OptionKind.Whole) : ConfigMap.Empty(At(section));
        var entries = new List<ConfigEntry>(children.Length);
        foreach (var child in children)
        {
            var (key, shape) = Array.Find(known, k => k.Key.Equals(child.Key, StringComparison.OrdinalIgnoreCase));
            // An unknown key goes on as it is: the binder reports it, with what was probably meant.
            entries.Add(new(At(child), key ?? child.Key, shape is null
                ? new ConfigScalar(At(child), child.Value ?? "", Plain: false)
                : Node(child, shape)));
        }

        return Map(section, entries);
    }

    private static ConfigNode Node(IConfigurationSection section, OptionShape shape)
    {
        if (shape.Kind == OptionKind.Section)
            return Of(section, shape.Type);
        var children = section.GetChildren().ToArray();
        if (children.Length == 0)
            return Scalar(section, shape.Kind);
        if (shape.Kind == OptionKind.List)
        {
            // .NET has no lists, only keys 0, 1, 2 …, which it sorts as numbers.
            var items = children.Select(c => Node(c, shape.Element!)).ToArray();
            return new ConfigList(At(section), items, 1 + items.Sum(i => i.Size));
        }

        var element = shape.Element ?? new(OptionKind.Text, typeof(string));
        return Map(section, [.. children.Select(c => new ConfigEntry(At(c), c.Key, Node(c, element)))]);
    }

    /// <summary>.NET keeps texts only: what is a number or a switch is told by what is asked for.</summary>
    private static ConfigScalar Scalar(IConfigurationSection section, OptionKind kind)
    {
        var text = section.Value ?? "";
        if (kind == OptionKind.Switch && bool.TryParse(text, out var flag))
            text = flag ? "true" : "false";
        return new(At(section), text, Plain: kind is not (OptionKind.Text or OptionKind.Word));
    }

    private static ConfigMap Map(IConfigurationSection section, List<ConfigEntry> entries) =>
        new(At(section), entries, 1 + entries.Sum(e => e.Value.Size));

    /// <summary>Line 0, as for a variable: it has a name and no lines.</summary>
    public static Mark At(IConfigurationSection section) => new(section.Path, 0, 0);

    /// <summary>The children of a list, in its order.</summary>
    public static IEnumerable<IConfigurationSection> Items(IConfigurationSection list) =>
        list.GetChildren().OrderBy(c => int.TryParse(c.Key, NumberStyles.None, CultureInfo.InvariantCulture, out var i)
            ? i : int.MaxValue);
}

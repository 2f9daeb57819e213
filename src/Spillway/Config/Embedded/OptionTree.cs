using System.Collections;
using System.Globalization;

namespace Spillway.Config.Embedded;

/// <summary>
/// Options records that a program made, back into what a person would have written for them: so the binder and every
/// check see them as they see a file. What equals its default is left out, as a person would.
/// </summary>
internal static class OptionTree
{
    /// <summary>The keys of a section that are not at their defaults.</summary>
    /// <param name="section">An options record.</param>
    /// <param name="mark">What errors name.</param>
    public static ConfigMap Of(object section, Mark mark)
    {
        var entries = new List<ConfigEntry>();
        foreach (var member in OptionSet.Of(section.GetType()))
        {
            var value = member.Property.GetValue(section);
            if (value is null || Equals(value, member.Default))
                continue;
            var node = Node(value, member.Shape, mark);
            if (member.Default is null || !IsEmpty(node) || !IsEmpty(Node(member.Default, member.Shape, mark)))
                entries.Add(new(mark, member.Key, node));
        }

        return Map(mark, entries);
    }

    private static ConfigNode Node(object? value, OptionShape shape, Mark mark) => value is null
        ? new ConfigScalar(mark, "", Plain: true)
        : shape.Kind switch
        {
            OptionKind.Section => Of(value, mark),
            OptionKind.List => List((IEnumerable)value, shape.Element!, mark),
            OptionKind.Map => Pairs((IEnumerable)value, shape.Element!, mark),
            OptionKind.Switch or OptionKind.Whole => new ConfigScalar(mark, OptionText.Value(value), Plain: true),
            OptionKind.Number => new ConfigScalar(mark, Number((double)value), Plain: true),
            OptionKind.Text or OptionKind.Word => new ConfigScalar(mark, OptionText.Value(value), Plain: false),
        };

    private static string Number(double value) =>
        double.IsFinite(value) ? OptionText.Number(value) : value.ToString(CultureInfo.InvariantCulture);

    private static ConfigList List(IEnumerable values, OptionShape element, Mark mark)
    {
        var items = values.Cast<object?>().Select(v => Node(v, element, mark)).ToArray();
        return new(mark, items, 1 + items.Sum(i => i.Size));
    }

    private static ConfigMap Pairs(IEnumerable pairs, OptionShape element, Mark mark)
    {
        var entries = new List<ConfigEntry>();
        foreach (var pair in pairs)
        {
            var type = pair.GetType();
            var key = Convert.ToString(type.GetProperty("Key")!.GetValue(pair), CultureInfo.InvariantCulture)!;
            entries.Add(new(mark, key, Node(type.GetProperty("Value")!.GetValue(pair), element, mark)));
        }

        return Map(mark, entries);
    }

    private static ConfigMap Map(Mark mark, List<ConfigEntry> entries) =>
        new(mark, entries, 1 + entries.Sum(e => e.Value.Size));

    private static bool IsEmpty(ConfigNode node) =>
        node is ConfigMap { Entries.Count: 0 } or ConfigList { Items.Count: 0 };
}

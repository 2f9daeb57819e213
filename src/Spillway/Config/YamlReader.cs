using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Spillway.Config;

/// <summary>
/// Reads one YAML document into nodes that know their line and column. Works on the parser's events rather than on
/// YamlDotNet's representation model, because that recurses as deep as the file says and keeps no mark of a key.
/// Bounded: depth, and nodes after aliases are expanded.
/// </summary>
internal sealed class YamlReader
{
    /// <summary>Deepest nesting. The options need seven.</summary>
    public const int DepthMax = 32;

    /// <summary>Nodes of one file, an alias counted as all that it stands for.</summary>
    public const int NodesMax = 50_000;

    private readonly string _file;
    private readonly bool _isVariable;
    private readonly ErrorList _errors;
    private readonly Parser _parser;
    private readonly Dictionary<string, ConfigNode> _anchors = [];
    private long _nodes;

    private YamlReader(string file, string text, bool isVariable, ErrorList errors) =>
        (_file, _isVariable, _errors, _parser) = (file, isVariable, errors, new(new StringReader(text)));

    /// <summary>Reads a file; null after an error that leaves nothing to look at.</summary>
    /// <param name="path">Path to open.</param>
    /// <param name="shown">Name in errors.</param>
    /// <param name="key">Key path of the whole file.</param>
    /// <param name="errors">Takes the errors.</param>
    public static ConfigNode? ReadFile(string path, string shown, string key, ErrorList errors) =>
        ConfigText.ReadFile(path, shown, key, errors) is { } text ? ReadText(text, shown, key, errors) : null;

    /// <summary>
    /// Reads a file's text; an empty one is an empty mapping. Null after an error that leaves nothing.
    /// </summary>
    public static ConfigNode? ReadText(string text, string shown, string key, ErrorList errors)
    {
        var node = Read(new(shown, text, isVariable: false, errors), shown, key, errors);
        return node is ConfigScalar { IsNull: true } ? ConfigMap.Empty(node.Mark) : node;
    }

    /// <summary>Reads an environment variable's value; null after an error.</summary>
    public static ConfigNode? ReadVariable(string text, string variable, string key, ErrorList errors) =>
        Read(new(variable, text, isVariable: true, errors), variable, key, errors);

    private static ConfigNode? Read(YamlReader reader, string shown, string key, ErrorList errors)
    {
        try
        {
            return reader.Document(key);
        }
        catch (YamlException e)
        {
            var problem = e is Refusal ? e.Message : $"This is not valid YAML: {ErrorList.Clean(e.Message, 400)}";
            var remedy = e is Refusal refusal ? refusal.Remedy
                : "Check indentation, colons, quotes and brackets around this place.";
            errors.Add(reader.At(e.Start), key, "", problem, remedy);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException
            or OverflowException or IndexOutOfRangeException)
        {
            // The library's scanner lets a few of these escape on damaged text.
            errors.Add(reader.At(default), key, "", $"This is not valid YAML: {ErrorList.Clean(e.Message, 400)}",
                "Check it from the beginning.");
        }

        return null;
    }

    private ConfigNode Document(string key)
    {
        Next();
        while (_parser.Current is StreamStart or DocumentStart)
            Next();
        if (_parser.Current is StreamEnd)
            return new ConfigScalar(At(default), "", Plain: true);
        var node = Node(key, depth: 0);
        Next();
        if (_parser.Current is DocumentStart or DocumentEnd)
            Next();
        if (_parser.Current is DocumentStart second)
            throw new Refusal(second.Start, "A second document begins here.",
                "Keep one document in a file: remove the line with ---.");
        return node;
    }

    /// <summary>Reads the node that the current event begins, and stops on its last event.</summary>
    private ConfigNode Node(string key, int depth)
    {
        var start = _parser.Current!;
        var at = At(start.Start);
        if (depth > DepthMax)
            throw new Refusal(start.Start, $"The nesting is deeper than {DepthMax}.",
                "No option lies that deep: check indentation and brackets.");
        if (start is AnchorAlias alias)
            return Alias(alias, at);
        if (start is NodeEvent { Tag.IsEmpty: false })
            throw new Refusal(start.Start, "Tags such as !!str have no meaning here.", "Remove the tag.");

        Count(1, start);
        ConfigNode node = start switch
        {
            Scalar scalar => new ConfigScalar(at, scalar.Value, scalar.Style == ScalarStyle.Plain),
            SequenceStart => List(at, key, depth),
            MappingStart => Map(at, key, depth),
            _ => throw new Refusal(start.Start, "A value was expected here.",
                "Check indentation, colons, quotes and brackets around this place."),
        };
        if (start is NodeEvent { Anchor.IsEmpty: false } named)
            _anchors[named.Anchor.Value] = node;
        return node;
    }

    private ConfigNode Alias(AnchorAlias alias, Mark at)
    {
        if (!_anchors.TryGetValue(alias.Value.Value, out var node))
        {
            throw new Refusal(alias.Start, $"The alias *{ErrorList.Clean(alias.Value.Value)} names no anchor above it.",
                "Define the anchor with & before its first use.");
        }

        Count(node.Size, alias);
        return node with { Mark = at };
    }

    private ConfigList List(Mark at, string key, int depth)
    {
        var items = new List<ConfigNode>();
        long size = 1;
        for (Next(); _parser.Current is not SequenceEnd; Next())
        {
            var item = Node($"{key}[{items.Count.ToString(CultureInfo.InvariantCulture)}]", depth + 1);
            items.Add(item);
            size += item.Size;
        }

        return new(at, items, size);
    }

    private ConfigMap Map(Mark at, string key, int depth)
    {
        var entries = new Dictionary<string, ConfigEntry>(StringComparer.Ordinal);
        var order = new List<ConfigEntry>();
        long size = 1;
        for (Next(); _parser.Current is not MappingEnd; Next())
        {
            var keyStart = _parser.Current!;
            if (Node(key, depth + 1) is not ConfigScalar name)
                throw new Refusal(keyStart.Start, "A key must be a word, not a list or a mapping.",
                    "Quote text that begins with [ or {.");
            Next();
            var path = key.Length == 0 ? name.Text : $"{key}.{name.Text}";
            var entry = new ConfigEntry(name.Mark, name.Text, Node(path, depth + 1));
            size += entry.Value.Size + 1;
            if (entries.TryAdd(name.Text, entry))
                order.Add(entry);
            else
                Duplicate(entry, entries[name.Text], path);
        }

        return new(at, order, size);
    }

    private void Duplicate(ConfigEntry second, ConfigEntry first, string path)
    {
        var line = first.KeyMark.Line.ToString(CultureInfo.InvariantCulture);
        _errors.Add(second.KeyMark, path, "", $"The key is given twice; the first stands in line {line}.",
            "Keep one of the two.");
    }

    private void Count(long nodes, ParsingEvent at)
    {
        _nodes += nodes;
        if (_nodes > NodesMax)
            throw new Refusal(at.Start, $"The file holds more than {NodesMax} values, aliases expanded.",
                "Configuration is small: shorten it.");
    }

    private void Next()
    {
        if (!_parser.MoveNext())
            throw new Refusal(_parser.Current?.End ?? default, "The file ends too early.",
                "Close every bracket and quote.");
    }

    private Mark At(YamlDotNet.Core.Mark mark) => _isVariable
        ? new(_file, 0, 0)
        : new(_file, (int)Math.Clamp(mark.Line, 1, int.MaxValue), (int)Math.Clamp(mark.Column, 1, int.MaxValue));

    private sealed class Refusal(YamlDotNet.Core.Mark at, string problem, string remedy)
        : YamlException(at, at, problem)
    {
        public string Remedy { get; } = remedy;
    }
}

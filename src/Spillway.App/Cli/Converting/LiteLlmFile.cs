using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Spillway.App.Cli.Converting;

/// <summary>
/// LiteLLM's config.yaml. Remembers what was read of it, so that the rest can be named.
/// </summary>
internal sealed class LiteLlmFile
{
    private readonly HashSet<YamlNode> _taken = new(ReferenceEqualityComparer.Instance);

    private LiteLlmFile(YamlMappingNode root) => Root = root;

    /// <summary>The whole document.</summary>
    public YamlMappingNode Root { get; }

    /// <summary>Reads a text; throws <see cref="FormatException"/> for one that is no mapping in YAML.</summary>
    public static LiteLlmFile Read(string text)
    {
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            return yaml.Documents.Count > 0 && yaml.Documents[0].RootNode is YamlMappingNode root
                ? new(root) : throw new FormatException("it has no keys.");
        }
        catch (YamlException broken)
        {
            throw new FormatException($"it is no YAML: {broken.Message}", broken);
        }
    }

    /// <summary>A section below a node; null where there is none.</summary>
    public static YamlMappingNode? Section(YamlNode? node, string key) => Find(node, key) as YamlMappingNode;

    /// <summary>The members of a list below a node.</summary>
    public static IReadOnlyList<YamlNode> List(YamlNode? node, string key) =>
        Find(node, key) is YamlSequenceNode list ? [.. list.Children] : [];

    /// <summary>A text below a node, which counts as read; empty where there is none.</summary>
    public string Text(YamlNode? node, string key)
    {
        if (Find(node, key) is not YamlScalarNode scalar)
            return "";
        _taken.Add(scalar);
        return scalar.Value ?? "";
    }

    /// <summary>A number below a node, which counts as read; null where there is none, or something else.</summary>
    public double? Number(YamlNode? node, string key)
    {
        if (Find(node, key) is not YamlScalarNode scalar || !double.TryParse(
            scalar.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
            return null;
        _taken.Add(scalar);
        return number;
    }

    /// <summary>Everything in a node counts as read.</summary>
    public void Take(YamlNode node)
    {
        foreach (var one in node.AllNodes)
            _taken.Add(one);
    }

    /// <summary>What was not read: its path, and the line it stands on.</summary>
    public IEnumerable<(string Path, long Line)> Rest() => Rest(Root, "");

    /// <summary>A node's line.</summary>
    public static long LineOf(YamlNode? node) => node?.Start.Line ?? 0;

    /// <summary>A node below another one; null where there is none.</summary>
    public static YamlNode? Find(YamlNode? node, string key) =>
        node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value : null;

    private IEnumerable<(string Path, long Line)> Rest(YamlNode node, string path)
    {
        if (_taken.Contains(node))
            yield break;
        var members = node switch
        {
            YamlMappingNode map => map.Children.Select(c =>
                (Name: $"{path}{(path.Length > 0 ? "." : "")}{c.Key}", c.Value, c.Key)),
            YamlSequenceNode list => list.Children.Select((c, i) =>
                (Name: FormattableString.Invariant($"{path}[{i}]"), Value: c, Key: c)),
            _ => [],
        };
        // A section of which nothing was read is told in one line.
        if (path.Length > 0 && !node.AllNodes.Any(_taken.Contains))
        {
            yield return (path, LineOf(node));
            yield break;
        }

        foreach (var (name, value, key) in members)
        {
            foreach (var (inside, line) in Rest(value, name))
                yield return (inside, value is YamlScalarNode || inside != name ? line : LineOf(key));
        }
    }
}

namespace Spillway.Config.Triton;

/// <summary>
/// Collects what a config.pbtxt means as the nodes of a model.yaml, each marked with the place that it came from. From
/// there on both forms share binding, ranges and rules, and an error points at the line that a person wrote.
/// </summary>
internal sealed class ModelTree(Mark mark)
{
    /// <summary>What was collected.</summary>
    public ConfigMap Root { get; private set; } = ConfigMap.Empty(mark);

    /// <summary>Sets text.</summary>
    public void Text(Mark at, string text, params ReadOnlySpan<string> path) =>
        Set(new ConfigScalar(at, text, Plain: false), path);

    /// <summary>Sets a number, a switch or a bare word.</summary>
    public void Plain(Mark at, string text, params ReadOnlySpan<string> path) =>
        Set(new ConfigScalar(at, text, Plain: true), path);

    /// <summary>Sets a value of any kind; what stood there before is replaced.</summary>
    public void Set(ConfigNode value, params ReadOnlySpan<string> path) => Root = With(Root, value, path);

    /// <summary>True when something stands there.</summary>
    public bool Has(params ReadOnlySpan<string> path)
    {
        ConfigNode? at = Root;
        foreach (var key in path)
            at = (at as ConfigMap)?.Find(key)?.Value;
        return at is not null;
    }

    /// <summary>The second tree laid over the first: mappings are joined, everything else is replaced.</summary>
    public static ConfigNode Merge(ConfigNode under, ConfigNode over)
    {
        if (under is not ConfigMap first || over is not ConfigMap second)
            return over;
        foreach (var entry in second.Entries)
        {
            first = first.With(entry.Key, first.Find(entry.Key) is { } old ? Merge(old.Value, entry.Value)
                : entry.Value);
        }

        return first;
    }

    /// <summary>The node with every mark in it replaced.</summary>
    public static ConfigNode Marked(ConfigNode node, Mark at) => node switch
    {
        ConfigMap map => map with
        {
            Mark = at,
            Entries = [.. map.Entries.Select(e => new ConfigEntry(at, e.Key, Marked(e.Value, at)))],
        },
        ConfigList list => list with { Mark = at, Items = [.. list.Items.Select(i => Marked(i, at))] },
        _ => node with { Mark = at },
    };

    private static ConfigMap With(ConfigMap map, ConfigNode value, ReadOnlySpan<string> path)
    {
        if (path.Length == 1)
            return Put(map, path[0], value);
        var inner = map.Find(path[0])?.Value as ConfigMap ?? ConfigMap.Empty(value.Mark);
        return Put(map, path[0], With(inner, value, path[1..]));
    }

    /// <summary>Like <see cref="ConfigMap.With"/>, but the key stands where its newest value stands.</summary>
    private static ConfigMap Put(ConfigMap map, string key, ConfigNode value)
    {
        var fresh = new ConfigEntry(map.Find(key)?.KeyMark ?? value.Mark, key, value);
        return map.Find(key) is null
            ? map with { Entries = [.. map.Entries, fresh] }
            : map with { Entries = [.. map.Entries.Select(e => e.Key == key ? fresh : e)] };
    }
}

namespace Spillway.Config;

/// <summary>Where something was written.</summary>
/// <param name="File">File, or environment variable.</param>
/// <param name="Line">From 1; 0 for a variable.</param>
/// <param name="Column">From 1; 0 for a variable.</param>
internal readonly record struct Mark(string File, int Line, int Column)
{
    /// <summary>True when an environment variable carried it.</summary>
    public bool IsVariable => Line == 0;
}

/// <summary>A value as written, before anyone knows what it should be. Immutable: an alias shares it.</summary>
/// <param name="Mark">Where it begins.</param>
/// <param name="Size">Nodes in it, itself included, aliases counted as often as they are used.</param>
internal abstract record ConfigNode(Mark Mark, long Size);

/// <summary>A single value.</summary>
/// <param name="Mark">Where.</param>
/// <param name="Text">Without quotes.</param>
/// <param name="Plain">True without quotes: only such text may be a number, a switch or null.</param>
internal sealed record ConfigScalar(Mark Mark, string Text, bool Plain) : ConfigNode(Mark, 1)
{
    /// <summary>True for a key without a value, "~" and "null".</summary>
    public bool IsNull => Plain && Text is "" or "~" or "null" or "Null" or "NULL";
}

/// <summary>A list.</summary>
internal sealed record ConfigList(Mark Mark, IReadOnlyList<ConfigNode> Items, long Size) : ConfigNode(Mark, Size);

/// <summary>A mapping with unique keys, in the order of writing.</summary>
internal sealed record ConfigMap(Mark Mark, IReadOnlyList<ConfigEntry> Entries, long Size) : ConfigNode(Mark, Size)
{
    /// <summary>A mapping without keys.</summary>
    public static ConfigMap Empty(Mark mark) => new(mark, [], 1);

    /// <summary>The entry of that key, or null.</summary>
    public ConfigEntry? Find(string key) => Entries.FirstOrDefault(e => e.Key == key);

    /// <summary>The same mapping with that key set.</summary>
    public ConfigMap With(string key, ConfigNode value)
    {
        var at = Find(key) is { } old && !value.Mark.IsVariable ? old.KeyMark : value.Mark;
        var fresh = new ConfigEntry(at, key, value);
        return Find(key) is null
            ? this with { Entries = [.. Entries, fresh] }
            : this with { Entries = [.. Entries.Select(e => e.Key == key ? fresh : e)] };
    }
}

/// <summary>One key of a mapping.</summary>
internal sealed record ConfigEntry(Mark KeyMark, string Key, ConfigNode Value)
{
    /// <summary>Where an error about it points: at a value that is written on its own, else at the key.</summary>
    public Mark Place => Value is ConfigScalar { IsNull: false } ? Value.Mark : KeyMark;
}

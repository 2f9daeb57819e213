using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Spillway.Config;

/// <summary>Which keys of two effective configurations differ. Pure; tells keys and never values.</summary>
internal static class ConfigDiff
{
    /// <summary>
    /// The keys, each as deep as both have it: "routes.chat" for a route that only one of them has,
    /// "routes.chat.deadlineMs" for one that says something else. Items of lists go by their name, else by number.
    /// </summary>
    public static IReadOnlyList<string> Between(Snapshot one, Snapshot other)
    {
        var keys = new List<string>();
        Compare("", Json(one), Json(other), keys);
        return keys;
    }

    private static JsonElement Json(Snapshot snapshot)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            snapshot.WriteJson(json);
        return JsonElement.Parse(buffer.WrittenSpan);
    }

    private static void Compare(string key, JsonElement one, JsonElement other, List<string> keys)
    {
        if (one.ValueKind is JsonValueKind.Object && other.ValueKind is JsonValueKind.Object)
            Members(key, Properties(one), Properties(other), keys);
        else if (one.ValueKind is JsonValueKind.Array && other.ValueKind is JsonValueKind.Array)
            Members(key, Items(one), Items(other), keys);
        else if (!JsonElement.DeepEquals(one, other))
            keys.Add(key);
    }

    private static void Members(
        string key, Dictionary<string, JsonElement> one, Dictionary<string, JsonElement> other, List<string> keys)
    {
        foreach (var name in one.Keys.Union(other.Keys))
        {
            var path = key.Length == 0 ? name : name.StartsWith('[') ? key + name : $"{key}.{name}";
            if (one.TryGetValue(name, out var a) && other.TryGetValue(name, out var b))
                Compare(path, a, b, keys);
            else
                keys.Add(path);
        }
    }

    private static Dictionary<string, JsonElement> Properties(JsonElement json) =>
        json.EnumerateObject().ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal);

    private static Dictionary<string, JsonElement> Items(JsonElement json)
    {
        var items = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        var index = 0;
        foreach (var item in json.EnumerateArray())
        {
            var number = $"[{index.ToString(CultureInfo.InvariantCulture)}]";
            var isNamed = item.ValueKind is JsonValueKind.Object && item.TryGetProperty("name", out var name)
                && name.ValueKind is JsonValueKind.String && items.TryAdd(name.GetString()!, item);
            if (!isNamed)
                items[number] = item;
            index++;
        }

        return items;
    }
}

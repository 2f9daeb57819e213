using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Spillway.App.Cli.Keys;

/// <summary>Keys on a terminal.</summary>
internal static class KeyView
{
    private static TextWriter Out => AnsiConsole.Console.Profile.Out.Writer;

    /// <summary>
    /// A key that was just made or rotated: the text alone on standard output, so that scripts can take it.
    /// </summary>
    public static int Issued(JsonElement key, bool asJson)
    {
        if (asJson)
        {
            Out.WriteLine(key.GetRawText());
            return Commands.Ok;
        }

        Out.WriteLine(Text(key, "key"));
        Console.Error.WriteLine(TerminalText.Clean($"Key {Text(key, "id")} of {Text(key, "tenant")}: {Rights(key)}. "
            + "It is shown this once; keep it where secrets are kept."));
        if (Text(key, "previous_until") is { Length: > 0 } until)
            Console.Error.WriteLine(TerminalText.Clean($"The former secret works until {until}."));
        return Commands.Ok;
    }

    /// <summary>A key that was revoked.</summary>
    public static int Revoked(JsonElement key, bool asJson)
    {
        Out.WriteLine(asJson ? key.GetRawText()
            : TerminalText.Clean($"Key {Text(key, "id")} of {Text(key, "tenant")} is revoked since "
                + $"{Text(key, "revoked")}."));
        return Commands.Ok;
    }

    /// <summary>All keys, a line each.</summary>
    public static int All(JsonElement answer, bool asJson, DateTimeOffset now)
    {
        if (asJson)
        {
            Out.WriteLine(answer.GetRawText());
            return Commands.Ok;
        }

        var keys = answer.GetProperty("keys").EnumerateArray().ToList();
        foreach (var key in keys)
            Out.WriteLine(TerminalText.Clean(Line(key, now)));
        if (keys.Count == 0)
            Out.WriteLine("There are no keys. Make one: spillway keys create --tenant NAME");
        return Commands.Ok;
    }

    private static string Line(JsonElement key, DateTimeOffset now)
    {
        var name = Text(key, "name") is { Length: > 0 } given ? $"  \"{given}\"" : "";
        var used = Text(key, "last_used") is { Length: > 0 } at ? $"last used {at}" : "never used";
        return $"{Text(key, "id")}  {Text(key, "environment"),-6} {Text(key, "tenant"),-16} {State(key, now),-28} "
            + $"{Rights(key)}, {used}{name}";
    }

    private static string State(JsonElement key, DateTimeOffset now)
    {
        if (Text(key, "revoked") is { Length: > 0 } revoked)
            return $"revoked {Day(revoked)}";
        if (Text(key, "expires") is not { Length: > 0 } expires)
            return "live";
        return Time(expires) <= now ? $"expired {Day(expires)}" : $"live until {Day(expires)}";
    }

    private static string Rights(JsonElement key)
    {
        var parts = new List<string> { Join(key, "roles", "no role") };
        parts.Add(key.TryGetProperty("models", out _) ? Join(key, "models", "no model") : "all models");
        if (key.TryGetProperty("label_only", out _))
            parts.Add("labels only");
        if (key.TryGetProperty("top_k", out var top))
            parts.Add($"top {top}");
        if (key.TryGetProperty("decimals", out var decimals))
            parts.Add($"{decimals} decimals");
        return string.Join(", ", parts);
    }

    private static string Join(JsonElement key, string name, string none)
    {
        var words = key.GetProperty(name).EnumerateArray().Select(w => w.GetString()).ToList();
        return words.Count == 0 ? none : string.Join(" ", words);
    }

    private static string Text(JsonElement key, string name) =>
        key.TryGetProperty(name, out var value) ? value.ToString() : "";

    private static DateTimeOffset Time(string text) =>
        DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    private static string Day(string text) => Time(text).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}

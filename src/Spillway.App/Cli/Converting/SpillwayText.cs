using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Spillway.App.Cli.Converting;

/// <summary>Writes a spillway.yaml for people, with what is to be looked at on top.</summary>
internal static class SpillwayText
{
    /// <summary>Writes it.</summary>
    /// <param name="converted">What it says.</param>
    /// <param name="from">The file that it comes from.</param>
    public static string Write(Converted converted, string from)
    {
        var into = new StringBuilder();
        into.Append(Invariant($"# Made from {Line(from)} by spillway convert litellm.\n"));
        if (converted.Notes.Count > 0)
            into.Append("#\n# To look at, by line of that file:\n");
        foreach (var note in converted.Notes)
            into.Append(Invariant($"#   {Line(note)}\n"));
        into.Append('\n');
        if (converted.HasKeys)
            into.Append("access: { keys: required }\n\n");
        into.Append("upstreams:").Append(converted.Upstreams.Count == 0 ? " {}\n" : "\n");
        foreach (var (name, upstream) in converted.Upstreams)
            Upstream(into, name, upstream, converted);
        into.Append("\nroutes:").Append(converted.Routes.Count == 0 ? " {}\n" : "\n");
        foreach (var (name, route) in converted.Routes)
        {
            var steps = string.Join(", ", route.Steps.Select(s => $"{{ model: {Text(s)} }}"));
            into.Append(Invariant($"  {Text(name)}: {{ chain: {{ steps: [{steps}] }} }}\n"));
        }

        Limits(into, converted);
        Prices(into, converted);
        return into.ToString();
    }

    private static void Upstream(StringBuilder into, string name, ConvertedUpstream upstream, Converted converted)
    {
        into.Append(Invariant($"  {Text(name)}:\n    kind: {upstream.Kind}\n    model: {Text(upstream.Model)}\n"));
        if (upstream.Keys.Count > 0)
            into.Append(Invariant($"    keyFrom: {Text("env:" + upstream.Keys[0])}\n"));
        if (upstream.Keys.Count > 1)
            into.Append(Invariant(
                $"    moreKeysFrom: [{string.Join(", ", upstream.Keys.Skip(1).Select(k => Text("env:" + k)))}]\n"));
        if (upstream.ApiVersion.Length > 0)
            into.Append(Invariant($"    apiVersion: {Text(upstream.ApiVersion)}\n"));
        into.Append("    targets:\n");
        for (var i = 0; i < upstream.Targets.Count; i++)
        {
            var (url, weight) = upstream.Targets[i];
            var part = weight == 1 ? "" : $", weight: {Number(weight)}";
            into.Append(Invariant($"      t{i + 1}: {{ url: {Text(url)}{part} }}\n"));
        }

        Times(into, upstream, converted);
    }

    private static void Times(StringBuilder into, ConvertedUpstream upstream, Converted converted)
    {
        // None of the others may be longer than the whole, and connecting not longer than the first byte.
        var total = upstream.TotalMs ?? double.PositiveInfinity;
        var first = Math.Min(upstream.FirstDeltaMs ?? 10_000, total);
        if (double.IsFinite(total))
            into.Append(Invariant($"    totalMs: {Number(total)}\n"));
        if (upstream.FirstDeltaMs is not null || first < 10_000)
            into.Append(Invariant($"    firstDeltaMs: {Number(first)}\n"));
        if (first < 1000)
            into.Append(Invariant($"    connectMs: {Number(first)}\n"));
        if (total < 5000)
            into.Append(Invariant($"    betweenDeltasMs: {Number(total)}\n"));
        if (converted.AttemptsMax is { } attempts)
            into.Append(Invariant($"    retry: {{ attemptsMax: {attempts} }}\n"));
        if (converted.CoolMs is { } cool)
            into.Append(Invariant(
                $"    breaker: {{ coolMs: {Number(cool)}, coolMaxMs: {Number(Math.Max(cool, 1000))} }}\n"));
    }

    private static void Limits(StringBuilder into, Converted converted)
    {
        // A route under several names is one, and so is its limit.
        var limited = converted.Routes.Where(r => r.Value is not { RequestsPerMinute: null, TokensPerMinute: null })
            .GroupBy(r => r.Value, r => r.Key).ToList();
        if (limited.Count == 0)
            return;
        into.Append("\nlimits:\n  rates:\n");
        foreach (var names in limited)
        {
            into.Append(Invariant($"    {Text(names.First())}:\n"))
                .Append(Invariant($"      routes: [{string.Join(", ", names.Select(Text))}]\n"))
                .Append("      burstSeconds: 60\n");
            if (names.Key.RequestsPerMinute is { } rpm)
                into.Append(Invariant($"      requestsPerSecond: {Number(rpm / 60)}   # {Number(rpm)} a minute\n"));
            if (names.Key.TokensPerMinute is { } tpm)
                into.Append(Invariant($"      tokensPerSecond: {Number(tpm / 60)}   # {Number(tpm)} a minute\n"));
        }
    }

    private static void Prices(StringBuilder into, Converted converted)
    {
        var priced = converted.Upstreams
            .Where(u => u.Value is not { PerMillionInput: null, PerMillionOutput: null }).ToList();
        if (priced.Count == 0)
            return;
        var mark = priced.Count < converted.Upstreams.Count ? "# " : "";
        into.Append(Invariant($"\n{mark}prices:\n{mark}  currency: USD\n{mark}  models:\n"));
        foreach (var (name, upstream) in priced)
        {
            into.Append(Invariant($"{mark}    {Text(name)}: [{{ from: 2020-01-01, "))
                .Append(Invariant($"perMillionInput: {Number(upstream.PerMillionInput ?? 0)}, "))
                .Append(Invariant($"perMillionOutput: {Number(upstream.PerMillionOutput ?? 0)} }}]\n"));
        }
    }

    private static string Number(double number) => number.ToString("0.#########", CultureInfo.InvariantCulture);

    /// <summary>Plain where that is safe, else in quotation marks as JSON has them, which YAML reads alike.</summary>
    private static string Text(string text) =>
        text.Length > 0 && char.IsAsciiLetter(text[0])
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            && text is not ("true" or "false" or "null" or "yes" or "no" or "on" or "off")
            ? text : $"\"{JsonEncodedText.Encode(text)}\"";

    private static string Line(string text) => new([.. text.Select(c => char.IsControl(c) ? ' ' : c)]);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

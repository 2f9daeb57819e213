using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Spillway.Tests.Telemetry;

/// <summary>
/// A strict reader of Prometheus' text format 0.0.4: throws on anything that the format or promtool would refuse.
/// </summary>
internal sealed partial class Exposition
{
    private readonly Dictionary<string, string> _types = [];
    private readonly HashSet<string> _helped = [];

    public Dictionary<string, double> Samples { get; } = [];

    public IReadOnlyDictionary<string, string> Types => _types;

    public static Exposition Parse(ReadOnlySpan<byte> bytes)
    {
        var text = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(bytes);
        Assert.EndsWith("\n", text);
        Assert.DoesNotContain('\r', text);
        var parsed = new Exposition();
        string? family = null;
        foreach (var line in text[..^1].Split('\n'))
        {
            if (line.StartsWith("# ", StringComparison.Ordinal))
                family = parsed.Comment(line);
            else
                parsed.Sample(line, family);
        }

        parsed.CheckHistograms();
        return parsed;
    }

    private string Comment(string line)
    {
        var parts = line.Split(' ', 4);
        Assert.Equal(4, parts.Length);
        if (parts[1] == "HELP")
        {
            Assert.True(_helped.Add(parts[2]), $"HELP twice: {line}");
            Assert.DoesNotMatch(@"(?<!\\)(\\\\)*\\[^\\n]", parts[3]);
        }
        else
        {
            Assert.Equal("TYPE", parts[1]);
            Assert.True(_types.TryAdd(parts[2], parts[3]), $"TYPE twice: {line}");
            Assert.Contains(parts[2], _helped);
            Assert.Contains(parts[3], new[] { "counter", "gauge", "histogram" });
            // Triton's names are what its dashboards look for; they have no suffix.
            if (!parts[2].StartsWith("nv_", StringComparison.Ordinal))
                Assert.Equal(parts[3] == "counter", parts[2].EndsWith("_total", StringComparison.Ordinal));
        }

        return parts[2];
    }

    private void Sample(string line, string? family)
    {
        var match = SampleLine().Match(line);
        Assert.True(match.Success, $"not a sample: {line}");
        var (name, labels, value) = (match.Groups["name"].Value, match.Groups["labels"].Value, match.Groups["value"].Value);
        Assert.NotNull(family);
        var suffixes = _types[family] == "histogram" ? new[] { "_bucket", "_sum", "_count" } : [""];
        Assert.Contains(name, suffixes.Select(suffix => family + suffix));
        var number = value switch
        {
            "+Inf" => double.PositiveInfinity,
            "-Inf" => double.NegativeInfinity,
            "NaN" => double.NaN,
            _ => double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture),
        };
        Assert.True(Samples.TryAdd(name + labels, number), $"twice: {line}");
        if (_types[family] == "counter")
            Assert.True(number >= 0, line);
    }

    private void CheckHistograms()
    {
        foreach (var (family, _) in _types.Where(type => type.Value == "histogram"))
        {
            var series = Samples.Where(sample => sample.Key.StartsWith(family + "_bucket{", StringComparison.Ordinal))
                .GroupBy(sample => Bound().Replace(sample.Key, "")).ToList();
            Assert.NotEmpty(series);
            foreach (var buckets in series)
            {
                var rows = buckets.Select(row => (Le: Bound().Match(row.Key).Groups["le"].Value, row.Value)).ToList();
                Assert.Equal("+Inf", rows[^1].Le);
                var bounds = rows[..^1].Select(row => double.Parse(row.Le, CultureInfo.InvariantCulture)).ToList();
                Assert.Equal(bounds.Order().Distinct(), bounds);
                Assert.Equal(rows.Select(row => row.Value).Order(), rows.Select(row => row.Value));
                var rest = buckets.Key[(family.Length + "_bucket".Length)..].Replace("{}", "", StringComparison.Ordinal);
                Assert.Equal(rows[^1].Value, Samples[family + "_count" + rest]);
                Assert.Contains(family + "_sum" + rest, Samples.Keys);
            }
        }
    }

    [GeneratedRegex("""
        ^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\[\\n"])*"(,(?!\})|(?=\})))+\})? (?<value>[^ ]+)$
        """)]
    private static partial Regex SampleLine();

    [GeneratedRegex(",?le=\"(?<le>[^\"]+)\"")]
    private static partial Regex Bound();
}

using System.Text.Json;
using System.Text.RegularExpressions;
using Spillway.Telemetry;
using Spillway.Tests.Config;
using Spillway.Tests.Server;
using Spillway.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace Spillway.Tests.Deploy;

/// <summary>
/// deploy/: rules that Prometheus takes and panels that Grafana draws, about series that exist, with a page that helps.
/// </summary>
public sealed partial class AlertRulesTests
{
    private static readonly string s_folder = Path.Combine(ConfigFolder.Repository, "deploy", "prometheus");
    private static readonly string s_page = File.ReadAllText(
        Path.Combine(ConfigFolder.Repository, "docs", "features", "watching.md"));

    [NeedsTheory(Need.Promtool)]
    [InlineData("check", "alerts.yaml")]
    [InlineData("test", "alerts_test.yaml")]
    public async Task Promtool_accepts_the_rules(string what, string file)
    {
        await using var promtool = ChildProcess.Start("promtool", [what, "rules", Path.Combine(s_folder, file)]);
        var (code, output, errors) = await promtool.EndAsync();
        Assert.True(code == 0, output + errors);
    }

    [Fact]
    public void Every_series_that_a_rule_asks_for_exists_with_the_labels_that_it_asks_for()
    {
        foreach (var (name, expression) in Rules().Select(r => (r.Name, Text(r.Rule, "expr"))).Concat(Panels()))
        {
            foreach (Match used in Series().Matches(expression))
            {
                if (used.Groups["name"].Value is "up")
                    continue;
                var spec = Instruments.All.SingleOrDefault(i => Names(i).Contains(used.Groups["name"].Value));
                Assert.True(spec is not null, $"{name} asks for {used.Groups["name"].Value}, which nobody exposes.");
                var labels = Label().Matches(used.Groups["labels"].Value).Select(m => m.Groups[1].Value);
                Assert.All(labels, l => Assert.Contains(l, spec.Labels.Append("le").Append("job").Append("instance")));
            }
        }
    }

    [Fact]
    public void Every_outcome_and_reason_that_a_rule_asks_for_exists()
    {
        var known = FaultLabels.Kinds.Select(FaultLabels.Of)
            .Concat(Enum.GetValues<CutReason>().Select(c => c.Label()))
            .Concat(Enum.GetValues<OtlpResult>().Select(OtlpInstruments.Label)).Concat(["ok", "fault"]).ToHashSet();
        var asked = Rules().SelectMany(r => Value().Matches(Text(r.Rule, "expr")))
            .SelectMany(m => m.Groups[1].Value.Split('|')).ToList();
        Assert.NotEmpty(asked);
        Assert.All(asked, value => Assert.Contains(value, known));
    }

    [Fact]
    public void Every_alert_says_what_how_bad_and_where_to_read_on()
    {
        var alerts = Rules().Where(r => r.Rule.Children.ContainsKey("alert")).ToList();
        Assert.True(alerts.Count >= 10);
        foreach (var (name, rule) in alerts)
        {
            var told = (YamlMappingNode)rule["annotations"];
            Assert.Contains(Text((YamlMappingNode)rule["labels"], "severity"), new[] { "page", "ticket" });
            Assert.All(["summary", "description"], key => Assert.NotEqual("", Text(told, key)));
            Assert.Equal($"docs/features/watching.md#{name.ToLowerInvariant()}", Text(told, "runbook"));
            Assert.Contains($"\n### {name}\n", s_page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_alert_has_a_test_that_expects_it_to_fire()
    {
        var tested = File.ReadAllText(Path.Combine(s_folder, "alerts_test.yaml"));
        foreach (var (name, _) in Rules().Where(r => r.Rule.Children.ContainsKey("alert")))
            Assert.Matches($@"alertname: {name}\s+exp_alerts:\s+- exp_labels", tested);
    }

    /// <summary>What the panels of the dashboard ask.</summary>
    private static IEnumerable<(string Name, string Expression)> Panels()
    {
        var file = Path.Combine(ConfigFolder.Repository, "deploy", "grafana", "spillway.json");
        var panels = JsonElement.Parse(File.ReadAllBytes(file)).GetProperty("panels").EnumerateArray().ToList();
        Assert.NotEmpty(panels);
        return panels.SelectMany(panel => panel.GetProperty("targets").EnumerateArray().Select(target =>
            (panel.GetProperty("title").GetString()!, target.GetProperty("expr").GetString()!)));
    }

    /// <summary>Names under which a family's samples stand on the page.</summary>
    private static string[] Names(InstrumentSpec spec) => spec.Kind is InstrumentKind.Histogram
        ? [$"{spec.Name}_bucket", $"{spec.Name}_sum", $"{spec.Name}_count"] : [spec.Name];

    private static List<(string Name, YamlMappingNode Rule)> Rules()
    {
        var yaml = new YamlStream();
        using (var text = File.OpenText(Path.Combine(s_folder, "alerts.yaml")))
            yaml.Load(text);
        var groups = (YamlSequenceNode)yaml.Documents[0].RootNode["groups"];
        return
        [
            .. groups.SelectMany(g => (YamlSequenceNode)g["rules"]).Cast<YamlMappingNode>().Select(rule =>
                (Text(rule, rule.Children.ContainsKey("alert") ? "alert" : "record"), rule)),
        ];
    }

    private static string Text(YamlMappingNode node, string key) => ((YamlScalarNode)node[key]).Value ?? "";

    [GeneratedRegex(@"\b(?<name>(spillway|process|dotnet)_[a-z_]+|up)\b(\{(?<labels>[^}]*)\})?")]
    private static partial Regex Series();

    [GeneratedRegex(@"([a-z_]+)\s*(=~|!=|!~|=)")]
    private static partial Regex Label();

    [GeneratedRegex("(?:outcome|reason|result)(?:=~|!=|=)\"([^\"]+)\"")]
    private static partial Regex Value();
}

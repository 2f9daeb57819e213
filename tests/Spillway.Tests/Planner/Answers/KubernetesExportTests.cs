using System.Text.Json;
using Spillway.Planner.Answers;
using Spillway.Tests.Planner.Plans;
using Spillway.Tests.Runtimes.Onnx;
using YamlDotNet.RepresentationModel;

namespace Spillway.Tests.Planner.Answers;

/// <summary>The exported objects, read back and held against the fields that their schemas have, which
/// kubernetes.schema.json lists.</summary>
public sealed class KubernetesExportTests
{
    private static readonly SmallSchema s_schema = new(JsonElement.Parse(File.ReadAllText(
        Repository.At("tests", "Spillway.Tests", "Planner", "Answers", "kubernetes.schema.json"))));

    [Theory]
    [InlineData("fixed", "")]
    [InlineData("utilisation", "HorizontalPodAutoscaler")]
    [InlineData("hpa", "HorizontalPodAutoscaler")]
    [InlineData("queue", "ScaledObject")]
    [InlineData("knative", "ScaledObject")]
    public void Every_object_has_its_kind_s_fields_and_no_others(string policy, string scaler)
    {
        var documents = Export(policy);
        Assert.Equal(scaler.Length == 0 ? ["Deployment", "Service"] : ["Deployment", "Service", scaler],
            documents.Select(d => Text(d, "kind")));
        Assert.All(documents, d => Assert.Empty(s_schema.Check(Text(d, "kind"), d)));
    }

    [Theory]
    [InlineData("machine: small", "machine: small, replicas: 2, scaling: { policy: queue, replicasMin: 0 }")]
    [InlineData("machine: small", "machine: large, replicas: 3, scaling: { policy: utilisation }")]
    public void Other_machines_and_limits_keep_to_the_schema_too(string from, string to)
    {
        var plan = SmallPlan.Read(($"sites: {{ here: {{ {from}, replicas: 1 }} }}", $"sites: {{ here: {{ {to} }} }}"));
        var documents = Read(KubernetesExport.Format(plan, Evaluation.Run(plan, plan.Candidates[0])!));
        Assert.All(documents, d => Assert.Empty(s_schema.Check(Text(d, "kind"), d)));
    }

    /// <summary>The schema itself sees what is wrong.</summary>
    [Theory]
    [InlineData("replicas: 2", "replicas: two", "no whole number")]
    [InlineData("replicas: 2", "replica: 2", "a field replica that its kind does not have")]
    [InlineData("kind: Deployment", "kind: Deploiment", "is Deploiment, not Deployment")]
    [InlineData("containerPort: 8000", "containerPort: 80000", "too large")]
    [InlineData("image: spillway:latest", "image: 7", "no text")]
    [InlineData("name: spillway-here", "name: Spillway_Here", "does not look like")]
    public void A_mistake_in_an_object_is_found(string from, string to, string words)
    {
        var yaml = Yaml("queue");
        Assert.Contains(from, yaml, StringComparison.Ordinal);
        var at = yaml.IndexOf(from, StringComparison.Ordinal);
        var wrong = Read(yaml[..at] + to + yaml[(at + from.Length)..])[0];
        Assert.Contains(s_schema.Check("Deployment", wrong), m => m.Contains(words, StringComparison.Ordinal));
    }

    [Fact]
    public void The_service_and_the_scaler_lead_to_the_deployment()
    {
        var documents = Export("queue");
        var pod = Map(Map(Map(documents[0], "spec"), "template"), "spec");
        var container = (YamlMappingNode)((YamlSequenceNode)pod.Children["containers"]).Children[0];
        Assert.Subset(new HashSet<string> { "name", "image", "ports", "startupProbe", "readinessProbe",
            "livenessProbe", "resources" },
            Keys(container).ToHashSet());
        var labels = Map(Map(Map(Map(documents[0], "spec"), "template"), "metadata"), "labels");
        Assert.Equal(Text(Map(Map(documents[1], "spec"), "selector"), "app"), Text(labels, "app"));
        Assert.Equal(Text(Map(documents[0], "metadata"), "name"),
            Text(Map(Map(documents[2], "spec"), "scaleTargetRef"), "name"));
        Assert.Equal("6", Text(Map(documents[2], "spec"), "maxReplicaCount"));
    }

    [Fact]
    public void A_target_of_processor_time_has_a_request_to_be_a_part_of()
    {
        var pod = Map(Map(Map(Export("utilisation")[0], "spec"), "template"), "spec");
        var container = (YamlMappingNode)((YamlSequenceNode)pod.Children["containers"]).Children[0];
        Assert.Equal("2", Text(Map(Map(container, "resources"), "requests"), "cpu"));
    }

    [Theory]
    [InlineData("knative", "knative has no object here")]
    [InlineData("predictive", "predictive has no object")]
    public void A_policy_that_Kubernetes_does_not_have_is_told(string policy, string words) => Assert.Contains(
        words, Yaml(policy), StringComparison.Ordinal);

    private static List<YamlMappingNode> Export(string policy) => Read(Yaml(policy));

    private static List<YamlMappingNode> Read(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return [.. stream.Documents.Select(d => (YamlMappingNode)d.RootNode)];
    }

    private static string Yaml(string policy)
    {
        var plan = SmallPlan.Read(("sites: { here: { machine: small, replicas: 1 } }",
            $"sites: {{ here: {{ machine: small, replicas: 2, scaling: {{ policy: {policy}, replicasMax: 6 }} }} }}"));
        return KubernetesExport.Format(plan, Evaluation.Run(plan, plan.Candidates[0])!);
    }

    private static IEnumerable<string> Keys(YamlMappingNode map) =>
        map.Children.Keys.Select(k => ((YamlScalarNode)k).Value!);

    private static YamlMappingNode Map(YamlMappingNode map, string key) => (YamlMappingNode)map.Children[key];

    private static string Text(YamlMappingNode map, string key) => ((YamlScalarNode)map.Children[key]).Value!;
}

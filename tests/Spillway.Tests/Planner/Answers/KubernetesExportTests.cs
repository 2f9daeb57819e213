using Spillway.Planner.Answers;
using Spillway.Tests.Planner.Plans;
using YamlDotNet.RepresentationModel;

namespace Spillway.Tests.Planner.Answers;

/// <summary>The exported objects, read back and held against the fields that their schemas have.</summary>
public sealed class KubernetesExportTests
{
    private static readonly Dictionary<string, (string Api, string[] Spec)> s_kinds = new()
    {
        ["Deployment"] = ("apps/v1", ["replicas", "selector", "template", "strategy", "minReadySeconds"]),
        ["Service"] = ("v1", ["selector", "ports", "type"]),
        ["HorizontalPodAutoscaler"] = ("autoscaling/v2",
            ["scaleTargetRef", "minReplicas", "maxReplicas", "metrics", "behavior"]),
        ["ScaledObject"] = ("keda.sh/v1alpha1", ["scaleTargetRef", "minReplicaCount", "maxReplicaCount",
            "pollingInterval",
            "cooldownPeriod", "triggers"]),
    };

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
        foreach (var document in documents)
        {
            var (api, fields) = s_kinds[Text(document, "kind")];
            Assert.Equal(api, Text(document, "apiVersion"));
            Assert.Equal(["apiVersion", "kind", "metadata", "spec"], Keys(document));
            Assert.Subset(fields.ToHashSet(), Keys(Map(document, "spec")).ToHashSet());
            Assert.Matches("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", Text(Map(document, "metadata"), "name"));
        }
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

    private static List<YamlMappingNode> Export(string policy)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Yaml(policy)));
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

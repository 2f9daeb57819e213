using System.Globalization;
using System.Text;
using Spillway.Planner.Fleet;
using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;
using Spillway.Policies.Scaling;

namespace Spillway.Planner.Answers;

/// <summary>
/// A candidate as Kubernetes objects: for each site with machines a Deployment and a Service, and what scales it: an
/// autoscaling/v2 HPA for the policies that look at processors, a KEDA ScaledObject over Spillway's own metrics for the
/// others. A document of several, to be read, completed (image, Prometheus' address) and applied by a person.
/// </summary>
public static class KubernetesExport
{
    /// <summary>Where the objects look for the numbers of requests; the address of a Prometheus is the cluster's
    /// own.</summary>
    private const string Prometheus = "http://prometheus.monitoring.svc:9090";

    /// <summary>The objects; empty when the candidate has no site with machines.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="outcome">The chosen candidate.</param>
    public static string Format(Plan plan, CandidateOutcome outcome)
    {
        var text = new StringBuilder();
        var whole = outcome.Candidate;
        var isPipeline = Pipelines.IsOne(plan, whole);
        foreach (var (candidate, site, place) in Pipelines.Parts(plan, whole).SelectMany(
            p => p.Sites.Where(s => s.Value.Machine.Length > 0).Select(s => (p, s.Key, s.Value))))
        {
            var variant = plan.Options.Variants[candidate.Variant];
            var name = isPipeline ? $"spillway-{Label($"{site} {candidate.Variant}")}" : $"spillway-{Label(site)}";
            if (text.Length == 0)
                text.Append($"# {OneLine(plan.Options.Name)}: {OneLine(whole.Name)}, as `spillway plan` chose "
                    + $"it.\n");
            Stands(text, place);
            Deployment(text, name, site, place, plan.Machines[place.Machine], variant);
            Service(text, name, site);
            if (place.Scaling is { } scaling && scaling.Policy != ScalingCatalogue.Fixed)
                Scaler(text, name, site, scaling, Label(candidate.Variant));
        }

        return text.ToString();
    }

    /// <summary>A name that Kubernetes takes: lower case, digits, dashes, at most 50 characters.</summary>
    internal static string Label(string text)
    {
        var label = new string([.. text.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')])
            .Trim('-');
        return label.Length == 0 ? "site" : label[..Math.Min(label.Length, 50)].Trim('-');
    }

    private static void Deployment(StringBuilder text, string name, string site, PlacementOptions place,
        MachineOptions machine, VariantOptions variant)
    {
        var replicas = place.Scaling is { } scaling ? Math.Max(scaling.ReplicasMin, place.Replicas) : place.Replicas;
        // Twice the planned load time before a slow start counts as a failed one.
        var startTries = Math.Max(3, (int)Math.Ceiling(variant.LoadSeconds * 2 / 5));
        Add(text, $"""
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: {name}
              labels: {"{"} app.kubernetes.io/name: spillway, spillway/site: "{Label(site)}" {"}"}
            spec:
              replicas: {replicas}
              selector:
                matchLabels: {"{"} app: "{name}" {"}"}
              template:
                metadata:
                  labels: {"{"} app: "{name}", app.kubernetes.io/name: spillway, spillway/site: "{Label(site)}" {"}"}
                spec:
                  terminationGracePeriodSeconds: 40
                  nodeSelector:
                    node.kubernetes.io/instance-type: "{OneLine(place.Machine)}"
                  containers:
                    - name: spillway
                      image: spillway:latest
                      ports:
                        - {"{"} name: http, containerPort: 8000 {"}"}
                        - {"{"} name: grpc, containerPort: 8001 {"}"}
                      startupProbe:
                        httpGet: {"{"} path: /v2/health/ready, port: http {"}"}
                        periodSeconds: 5
                        failureThreshold: {startTries}
                      readinessProbe:
                        httpGet: {"{"} path: /v2/health/ready, port: http {"}"}
                        periodSeconds: 5
                      livenessProbe:
                        httpGet: {"{"} path: /v2/health/live, port: http {"}"}
                        periodSeconds: 10

            """);
        Resources(text, machine, variant, place);
    }

    /// <summary>Says in a comment what the objects do in place of a policy that Kubernetes does not have.</summary>
    private static void Stands(StringBuilder text, PlacementOptions place)
    {
        if (!Fleets.IsScaled(place))
            return;
        var scaling = place.Scaling!;
        var adds = ScalingCatalogue.ReactiveNames.Contains(scaling.Policy) ? "" : scaling.Policy;
        var target = scaling.Target.OngoingPerReplica.ToString("0.###", CultureInfo.InvariantCulture);
        var words = (scaling.Policy, adds.Length) switch
        {
            ("utilisation" or "hpa", _) => "its target is of processor time: where a device works, use its own metric",
            ("queue", _) => "",
            (_, > 0) => $"{adds} has no object: below it is a target of {target} "
                + "requests for each replica alone, without what the policy adds, and it will do worse than the plan",
            _ => $"{scaling.Policy} has no object here: a target of {target} requests "
                + "for each replica stands in, and its windows are not those of the plan",
        };
        if (words.Length > 0)
            Add(text, $"# Policy {scaling.Policy}: {words}.\n");
    }

    private static bool LooksAtProcessors(PlacementOptions place) =>
        place.Scaling is { Policy: "utilisation" or "hpa" };

    private static void Resources(
        StringBuilder text, MachineOptions machine, VariantOptions variant, PlacementOptions place)
    {
        List<string> requests = [];
        // A share of the processors is a share of what was requested: without it the HPA never acts.
        if (LooksAtProcessors(place))
            requests.Add($"cpu: \"{machine.Parallelism}\"");
        if (variant.MemoryGb > 0)
            requests.Add(string.Create(CultureInfo.InvariantCulture,
                $"memory: \"{Math.Ceiling(variant.MemoryGb * 1000):0}M\""));
        if (machine.Gpus == 0 && requests.Count == 0)
            return;
        text.Append("          resources:\n");
        if (requests.Count > 0)
            Add(text, $"            requests: {"{"} {string.Join(", ", requests)} {"}"}\n");
        if (machine.Gpus > 0)
            Add(text, $"            limits: {"{"} nvidia.com/gpu: \"{machine.Gpus}\" {"}"}\n");
    }

    private static void Service(StringBuilder text, string name, string site) => Add(text, $"""
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: {name}
          labels: {"{"} app.kubernetes.io/name: spillway, spillway/site: "{Label(site)}" {"}"}
        spec:
          selector: {"{"} app: "{name}" {"}"}
          ports:
            - {"{"} name: http, port: 8000, targetPort: http {"}"}
            - {"{"} name: grpc, port: 8001, targetPort: grpc {"}"}

        """);

    private static void Scaler(StringBuilder text, string name, string site, ScalingOptions scaling, string variant)
    {
        if (scaling.Policy is "utilisation" or "hpa")
            Horizontal(text, name, site, scaling);
        else
            Keda(text, name, site, scaling, variant);
    }

    private static void Horizontal(StringBuilder text, string name, string site, ScalingOptions scaling) =>
        Add(text, $"""
        ---
        apiVersion: autoscaling/v2
        kind: HorizontalPodAutoscaler
        metadata:
          name: {name}
          labels: {"{"} app.kubernetes.io/name: spillway, spillway/site: "{Label(site)}" {"}"}
        spec:
          scaleTargetRef: {"{"} apiVersion: apps/v1, kind: Deployment, name: {name} {"}"}
          minReplicas: {Math.Max(1, scaling.ReplicasMin)}
          maxReplicas: {scaling.ReplicasMax}
          metrics:
            - type: Resource
              resource:
                name: cpu
                target: {"{"} type: Utilization, averageUtilization: {scaling.Target.Utilisation * 100:0} {"}"}
          behavior:
            scaleDown:
              stabilizationWindowSeconds: {Math.Min(3600, scaling.Target.ScaleInAfterMs / 1000):0}

        """);

    private static void Keda(StringBuilder text, string name, string site, ScalingOptions scaling, string variant) =>
        Add(text, $"""
            ---
            apiVersion: keda.sh/v1alpha1
            kind: ScaledObject
            metadata:
              name: {name}
              labels: {"{"} app.kubernetes.io/name: spillway, spillway/site: "{Label(site)}" {"}"}
            spec:
              scaleTargetRef: {"{"} name: {name} {"}"}
              minReplicaCount: {scaling.ReplicasMin}
              maxReplicaCount: {scaling.ReplicasMax}
              pollingInterval: {Math.Max(1, scaling.Target.EveryMs / 1000):0}
              cooldownPeriod: {scaling.Target.ScaleInAfterMs / 1000:0}
              triggers:
                - type: prometheus
                  metadata:
                    serverAddress: "{Prometheus}"
                    query: '{Query(variant)}'
                    threshold: "{scaling.Target.OngoingPerReplica:0.###}"

            """);

    private static string Query(string deployment) => $"sum(spillway_queue_depth{{deployment=\"{deployment}\"}}) + "
        + $"sum(spillway_in_flight{{deployment=\"{deployment}\"}})";

    private static string OneLine(string text) =>
        new([.. text.Select(c => char.IsControl(c) || c is '"' or '\\' ? ' ' : c)]);

    private static void Add(StringBuilder text, FormattableString yaml) =>
        text.Append(yaml.ToString(CultureInfo.InvariantCulture).ReplaceLineEndings("\n"));
}

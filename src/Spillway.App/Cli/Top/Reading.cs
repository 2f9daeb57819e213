using System.Text.Json;

namespace Spillway.App.Cli.Top;

/// <summary>What one poll says of a served name: totals since the start.</summary>
internal sealed class ModelReading
{
    public Dictionary<string, double> Outcomes { get; } = [];

    public Buckets Answered { get; } = new();

    public Buckets Failed { get; } = new();

    public Dictionary<string, Buckets> Stages { get; } = [];

    public double MemoryBytes { get; set; } = double.NaN;
}

/// <summary>What one poll says of a deployment: totals since the start, and gauges.</summary>
internal sealed class DeploymentReading
{
    public double QueueDepth { get; set; } = double.NaN;

    public double QueueLengthMax { get; set; } = double.NaN;

    public double InFlight { get; set; } = double.NaN;

    public double Runners { get; set; } = double.NaN;

    public double PredictedWait { get; set; } = double.NaN;

    public double BatchedRequests { get; set; }

    public double BusySeconds { get; set; }

    public double MemoryBytes { get; set; } = double.NaN;

    public Buckets BatchRows { get; } = new();

    public Dictionary<string, double> Cuts { get; } = [];

    public Dictionary<string, double> Drops { get; } = [];

    public Dictionary<string, double> ServiceSeconds { get; } = [];
}

/// <summary>What the admin protocol says of the server; empty where unknown.</summary>
internal sealed record ServerState(string Name, string Version, bool Ready, bool Stopping);

/// <summary>What the admin protocol says of a served name.</summary>
internal sealed record ModelState(
    string Name, string Version, string Deployment, string State, string Reason, bool Simulated, double MemoryBytes);

/// <summary>
/// Everything that one poll of a server says, typed. Figures that a server does not give are NaN, or missing from
/// their table.
/// </summary>
internal sealed class Reading
{
    private readonly Dictionary<string, double> _plain = [];

    /// <summary>When it was taken, for people.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>When it was taken, in seconds on a clock that only goes forward.</summary>
    public required double Seconds { get; init; }

    /// <summary>By name and version, see <see cref="Key"/>.</summary>
    public Dictionary<string, ModelReading> Models { get; } = [];

    /// <summary>By name and version, see <see cref="Key"/>.</summary>
    public Dictionary<string, DeploymentReading> Deployments { get; } = [];

    /// <summary>Served names in the server's order.</summary>
    public List<ModelState> States { get; } = [];

    /// <summary>The server's name, version and state; empty where unknown.</summary>
    public ServerState Server { get; private set; } = new("", "", Ready: false, Stopping: false);

    /// <summary>Requests inside the server.</summary>
    public double InFlight { get; private set; } = double.NaN;

    /// <summary>Bytes of their bodies.</summary>
    public double BytesHeld { get; private set; } = double.NaN;

    /// <summary>A sample without labels; NaN when there is none.</summary>
    public double this[string name] => _plain.GetValueOrDefault(name, double.NaN);

    /// <summary>Name and version as one key.</summary>
    public static string Key(string name, string version) => $"{name}\n{version}";

    /// <summary>Takes the page of metrics in.</summary>
    public void Metrics(string text)
    {
        foreach (var sample in Scrape.Read(text))
        {
            var (model, deployment) = (sample.Label("model"), sample.Label("deployment"));
            if (sample.Labels.Count == 0)
                _plain[sample.Name] = sample.Value;
            else if (model.Length > 0)
                OfModel(Of(Models, Key(model, sample.Label("version"))), sample);
            else if (deployment.Length > 0)
                OfDeployment(Of(Deployments, Key(deployment, sample.Label("version"))), sample);
        }
    }

    /// <summary>Takes /admin/v1/server in.</summary>
    public void AdminServer(JsonElement json)
    {
        Server = new(Text(json, "name"), Text(json, "version"), Flag(json, "ready"), Flag(json, "stopping"));
        (InFlight, BytesHeld) = (Number(json, "in_flight"), Number(json, "body_bytes_held"));
    }

    /// <summary>Takes /admin/v1/models in.</summary>
    public void AdminModels(JsonElement json)
    {
        if (!json.TryGetProperty("models", out var models) || models.ValueKind is not JsonValueKind.Array)
            return;
        foreach (var model in models.EnumerateArray().Where(m => m.ValueKind is JsonValueKind.Object))
        {
            States.Add(new(
                Text(model, "name"), Text(model, "version"), Text(model, "deployment"), Text(model, "state"),
                Text(model, "reason"), Flag(model, "simulated"), Number(model, "memory_bytes")));
        }
    }

    private static void OfModel(ModelReading model, Sample sample)
    {
        switch (sample.Name)
        {
            case "spillway_requests_total":
                model.Outcomes[sample.Label("outcome")] = sample.Value;
                break;
            case var name when name.StartsWith("spillway_request_duration_seconds", StringComparison.Ordinal):
                (sample.Label("result") == "ok" ? model.Answered : model.Failed).Add(sample);
                break;
            case var name when name.StartsWith("spillway_stage_duration_seconds", StringComparison.Ordinal):
                Of(model.Stages, sample.Label("stage")).Add(sample);
                break;
            case var name when name.EndsWith("_memory_bytes", StringComparison.Ordinal):
                model.MemoryBytes = sample.Value;
                break;
        }
    }

    private static void OfDeployment(DeploymentReading deployment, Sample sample)
    {
        var (name, value) = (sample.Name, sample.Value);
        if (name.StartsWith("spillway_batch_rows", StringComparison.Ordinal))
            deployment.BatchRows.Add(sample);
        else if (name == "spillway_batch_cuts_total")
            deployment.Cuts[sample.Label("reason")] = value;
        else if (name == "spillway_drops_total")
            deployment.Drops[sample.Label("reason")] = value;
        else if (name == "spillway_service_time_seconds")
            deployment.ServiceSeconds[sample.Label("rows")] = value;
        else if (name == "spillway_runner_busy_seconds_total")
            deployment.BusySeconds += value;
        else if (name == "spillway_batched_requests_total")
            deployment.BatchedRequests = value;
        else
            Gauge(deployment, name, value);
    }

    private static void Gauge(DeploymentReading deployment, string name, double value)
    {
        switch (name)
        {
            case "spillway_queue_depth":
                deployment.QueueDepth = value;
                break;
            case "spillway_queue_length_max":
                deployment.QueueLengthMax = value;
                break;
            case "spillway_in_flight":
                deployment.InFlight = value;
                break;
            case "spillway_runners":
                deployment.Runners = value;
                break;
            case "spillway_predicted_wait_seconds":
                deployment.PredictedWait = value;
                break;
            case var _ when name.EndsWith("_memory_bytes", StringComparison.Ordinal):
                deployment.MemoryBytes = value;
                break;
        }
    }

    private static T Of<T>(Dictionary<string, T> all, string key)
        where T : new()
    {
        if (!all.TryGetValue(key, out var found))
            all[key] = found = new();
        return found;
    }

    private static string Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? TerminalText.Clean(value.ToString()) : "";

    private static bool Flag(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True;

    private static double Number(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number
            ? value.GetDouble() : double.NaN;
}

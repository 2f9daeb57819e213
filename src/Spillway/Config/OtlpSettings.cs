using System.Globalization;

namespace Spillway.Config;

/// <summary>Where one signal goes, and how.</summary>
/// <param name="Endpoint">The whole address, with its path.</param>
/// <param name="Headers">Sent with each export. May hold keys: never shown.</param>
/// <param name="Timeout">The most time of one attempt.</param>
/// <param name="Gzip">Whether bodies are compressed.</param>
public sealed record OtlpTarget(
    Uri Endpoint, IReadOnlyList<KeyValuePair<string, string>> Headers, TimeSpan Timeout, bool Gzip);

/// <summary>
/// What the exporter of OTLP does: the section telemetry of the configuration, overridden by the standard variables
/// OTEL_EXPORTER_OTLP_… , OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_BSP_… and
/// OTEL_METRIC_EXPORT_INTERVAL. A variable that cannot be used is a warning and its default holds, as the standard
/// asks: it may have been set for other programs. Headers come from variables only, so that no key stands in a file
/// that `spillway check --effective` prints.
/// </summary>
public sealed record OtlpSettings
{
    /// <summary>Where traces go; null for nowhere.</summary>
    public OtlpTarget? Traces { get; private init; }

    /// <summary>Where metrics go; null for nowhere.</summary>
    public OtlpTarget? Metrics { get; private init; }

    /// <summary>Share of traces kept, 0 to 1.</summary>
    public double SampleRatio { get; private init; } = 1;

    /// <summary>Whether a caller's decision holds.</summary>
    public bool ParentBased { get; private init; } = true;

    /// <summary>Always kept from here on; zero for no such rule.</summary>
    public TimeSpan Slow { get; private init; }

    /// <summary>The longest that a finished request waits for its export.</summary>
    public TimeSpan TraceDelay { get; private init; }

    /// <summary>Finished requests held for export; about 1 KiB each.</summary>
    public int QueueLengthMax { get; private init; }

    /// <summary>The most requests of one export.</summary>
    public int BatchMax { get; private init; }

    /// <summary>Between two exports of metrics.</summary>
    public TimeSpan MetricsInterval { get; private init; }

    /// <summary>service.name and the other attributes of the sender, in order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Resource { get; private init; } = [];

    /// <summary>What was set and cannot be used, as sentences.</summary>
    public IReadOnlyList<string> Warnings { get; private init; } = [];

    /// <summary>Whether anything is sent.</summary>
    public bool Enabled => Traces is not null || Metrics is not null;

    /// <summary>Reads options and variables.</summary>
    /// <param name="options">Validated.</param>
    /// <param name="server">The server's name, for service.name.</param>
    /// <param name="environment">Variables of the process; an empty one counts as not set.</param>
    public static OtlpSettings From(
        TelemetryOptions options, string server, IReadOnlyDictionary<string, string> environment)
    {
        var variables = new OtlpVariables(environment);
        if (variables.Text("OTEL_SDK_DISABLED").Equals("true", StringComparison.OrdinalIgnoreCase))
            return new();
        var (ratio, parentBased, off) = Sampler(options, variables);
        var batch = variables.Whole("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, 1, 8192);
        return new()
        {
            Traces = off ? null : Target("TRACES", "v1/traces", options, variables),
            Metrics = Target("METRICS", "v1/metrics", options, variables),
            SampleRatio = ratio,
            ParentBased = parentBased,
            Slow = TimeSpan.FromMilliseconds(options.TraceSlowMs),
            TraceDelay = TimeSpan.FromMilliseconds(variables.Whole("OTEL_BSP_SCHEDULE_DELAY", 5000, 1, 3_600_000)),
            QueueLengthMax = variables.Whole("OTEL_BSP_MAX_QUEUE_SIZE", 2048, 1, 1_000_000),
            BatchMax = batch,
            MetricsInterval = TimeSpan.FromMilliseconds(
                variables.Whole("OTEL_METRIC_EXPORT_INTERVAL", (int)options.MetricsIntervalMs, 100, 3_600_000)),
            Resource = ResourceOf(server, variables),
            Warnings = variables.Finish(),
        };
    }

    private static OtlpTarget? Target(string signal, string path, TelemetryOptions options, OtlpVariables variables)
    {
        var exporter = variables.Text($"OTEL_{signal}_EXPORTER");
        if (exporter is not ("" or "otlp"))
        {
            if (exporter != "none")
                variables.Warn($"OTEL_{signal}_EXPORTER", exporter, "only otlp and none are known; nothing is sent");
            return null;
        }

        if (EndpointOf(signal, path, options, variables) is not { } endpoint)
            return null;
        variables.CheckProtocol(signal);
        return new(
            endpoint, variables.Pairs(variables.Signal(signal, "HEADERS")),
            TimeSpan.FromMilliseconds(variables.Whole(variables.Signal(signal, "TIMEOUT"), 10_000, 1, 600_000)),
            variables.IsGzip(signal));
    }

    /// <summary>A signal's own address is taken as it is; the common one is a base.</summary>
    private static Uri? EndpointOf(string signal, string path, TelemetryOptions options, OtlpVariables variables)
    {
        var own = $"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT";
        if (variables.Text(own).Length > 0)
            return variables.Address(own);
        const string Common = "OTEL_EXPORTER_OTLP_ENDPOINT";
        var root = variables.Text(Common).Length > 0 ? variables.Address(Common)
            : options.OtlpEndpoint.Length > 0 ? new Uri(options.OtlpEndpoint) : null;
        return root is null ? null : new Uri($"{root.AbsoluteUri.TrimEnd('/')}/{path}");
    }

    private static (double Ratio, bool ParentBased, bool Off) Sampler(TelemetryOptions options, OtlpVariables variables)
    {
        const string Name = "OTEL_TRACES_SAMPLER";
        var word = variables.Text(Name);
        var ratio = word.EndsWith("traceidratio", StringComparison.Ordinal)
            ? variables.Number("OTEL_TRACES_SAMPLER_ARG", 1, 0, 1) : options.TraceSampleRatio;
        switch (word)
        {
            case "":
                return (options.TraceSampleRatio, true, false);
            case "always_off":
                return (0, false, true);
            case "always_on":
                return (1, false, false);
            case "parentbased_always_on":
                return (1, true, false);
            case "parentbased_always_off":
                return (0, true, false);
            case "traceidratio":
                return (ratio, false, false);
            case "parentbased_traceidratio":
                return (ratio, true, false);
            default:
                variables.Warn(Name, word, "always_on, always_off, traceidratio and these with parentbased_ are known");
                return (options.TraceSampleRatio, true, false);
        }
    }

    private static List<KeyValuePair<string, string>> ResourceOf(string server, OtlpVariables variables)
    {
        var given = variables.Pairs("OTEL_RESOURCE_ATTRIBUTES");
        var name = variables.Text("OTEL_SERVICE_NAME");
        if (name.Length == 0)
            name = given.LastOrDefault(pair => pair.Key == "service.name").Value ?? server;
        List<KeyValuePair<string, string>> all = [new("service.name", name)];
        foreach (var pair in given.Where(pair => all.TrueForAll(known => known.Key != pair.Key)))
            all.Add(pair);
        if (all.TrueForAll(pair => pair.Key != "process.pid"))
            all.Add(new("process.pid", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
        if (all.TrueForAll(pair => pair.Key != "host.name"))
            all.Add(new("host.name", Environment.MachineName));
        return all;
    }
}

namespace Spillway.Config;

/// <summary>The door: address, limits, name.</summary>
public sealed record ServerOptions
{
    /// <summary>Address to listen on.</summary>
    [Option("Address to listen on. Another than loopback needs access.keys: required, and TLS or access.plainText.",
        Source = "secure by default")]
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Port; 0 takes a free one.</summary>
    [Option("Port of the protocol, the admin protocol and /metrics. 0 takes a free one.", Min = 0, Max = 65535,
        Source = "Triton's HTTP port")]
    public int Port { get; init; } = 8000;

    /// <summary>Port of gRPC; null takes the one after <see cref="Port"/>.</summary>
    [Option("Port of gRPC. By default the one after server.port, so 8001 beside 8000, and a free one where that is 0. "
        + "0 takes a free one, -1 switches gRPC off.", Min = -1, Max = 65535, Source = "Triton's gRPC port is 8001")]
    public int? GrpcPort { get; init; }

    /// <summary>Calls at once on one gRPC connection.</summary>
    [Option("gRPC calls at once on one connection; a client keeps further ones back.",
        Unit = "calls", Min = 1, Max = 100_000,
        Source = "the least that HTTP/2 recommends, and ASP.NET Core's default")]
    public int GrpcCallsMax { get; init; } = 100;

    /// <summary>Requests of one stream that are read and not answered.</summary>
    [Option("Requests of one ModelStreamInfer stream that are read and not answered yet; beyond it none is read.",
        Unit = "requests", Min = 1, Max = 100_000, Source = "enough to fill the largest usual batches twice")]
    public int GrpcStreamInFlightMax { get; init; } = 64;

    /// <summary>How long a stream may be silent.</summary>
    [Option("How long a ModelStreamInfer stream may be silent while no answer is owed, before it is ended.",
        Unit = "ms", Min = 1000, Max = 86_400_000, Source = "ten minutes; a client opens a new one at no cost")]
    public double GrpcStreamIdleMs { get; init; } = 600_000;

    /// <summary>How long a gRPC connection may be silent before it is asked for a sign of life.</summary>
    [Option("How long a gRPC connection may be silent before a ping asks for a sign of life, for which it has 20 s.",
        Unit = "ms", Min = 1000, Max = 86_400_000,
        Source = "a minute: below the five that routers forget connections after")]
    public double GrpcKeepAliveMs { get; init; } = 60_000;

    /// <summary>The port that gRPC listens on: 0 for a free one, -1 for none.</summary>
    public int GrpcPortInForce => GrpcPort ?? (Port is 0 ? 0 : Port + 1);

    /// <summary>Reported in the server's metadata.</summary>
    [Option("Name in the server's metadata; some clients insist on \"triton\".")]
    public string Name { get; init; } = "spillway";

    /// <summary>Largest body.</summary>
    [Option("The largest request body.", Unit = "bytes", Min = 1024, Max = 2_000_000_000,
        Source = "Triton's HTTP body cap, 64 MiB")]
    public int BodyBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>Request bytes in memory at once, over all requests.</summary>
    [Option("Request bytes held in memory at once, over all requests; beyond it a request is refused with 503.",
        Unit = "bytes", Min = 1024, Max = 1_000_000_000_000, Source = "eight of the largest bodies")]
    public long BodyBytesInFlightMax { get; init; } = 512L * 1024 * 1024;

    /// <summary>Connections at once.</summary>
    [Option("Connections at once; one more is closed.",
        Unit = "connections", Min = 1, Max = 1_000_000,
        Source = "file descriptors that a default Linux process may open, halved")]
    public int ConnectionsMax { get; init; } = 512;

    /// <summary>How long a stop waits for requests in flight.</summary>
    [Option("How long a stop waits for the requests in flight before it cancels them.",
        Unit = "ms", Min = 0, Max = 3_600_000, Source = "Kubernetes kills after 30 s")]
    public double DrainMs { get; init; } = 20_000;

    /// <summary>Recent requests kept for explain.</summary>
    [Option("Recent requests kept for `spillway explain`.", Unit = "requests", Min = 1, Max = 1_000_000,
        Source = "about 1 MB")]
    public int RecentRequestsMax { get; init; } = 1024;

    /// <summary>Folder of what must survive a restart.</summary>
    [Option("Folder of what must survive a restart: keys, switches, budgets, the ledger, the audit log. Relative to "
        + "this file; made when something needs it, readable by the owner alone. One server at a time.")]
    public string StateFolder { get; init; } = "state";

    /// <summary>Whether drills may break it.</summary>
    [Option("Whether `spillway drill` may break parts of this server for a while, to see that the rest holds. Only who "
        + "may administer the server can; every drill stands in the audit log.",
        Source = "off: nobody breaks a server by mistake")]
    public bool Drillable { get; init; }

    /// <summary>Triton's counter names beside our own.</summary>
    [Option("Whether /metrics also has Triton's names (nv_inference_…), for dashboards that know them.",
        Source = "off: `promtool check metrics` advises against the form of these names")]
    public bool TritonMetricNames { get; init; }

    /// <summary>Whether chats are counted under vLLM's names too.</summary>
    [Option("Whether /metrics has the times and tokens of chats under vLLM's names too "
        + "(vllm:time_to_first_token_seconds and its like), for dashboards that know those.",
        Source = "off: `promtool check metrics` advises against colons in names")]
    public bool VllmMetricNames { get; init; }

    /// <summary>Which models are probed: "auto", "always" or "off".</summary>
    [Option("Which models a throw-away process loads and runs first, so that one that crashes the library "
        + "cannot end the server: auto (new files of a model repository, new files that come while the server serves, "
        + "and whatever a server ended on while it loaded), "
        + "always (every new file), off. What passed is not probed again until it changes.", OneOf = "auto|always|off")]
    public string Canary { get; init; } = "auto";

    /// <summary>How long a probe may take.</summary>
    [Option("How long a probe may take before it counts as hung and is ended.",
        Unit = "ms", Min = 100, Max = 3_600_000, Source = "large models load in less")]
    public double CanaryMs { get; init; } = 60_000;

    /// <summary>The program that probes.</summary>
    [Option("The program that probes: a spillway executable. Empty takes the one that serves; "
        + "a server embedded in another program has none, and probes only when this is set.")]
    public string CanaryExecutable { get; init; } = "";
}

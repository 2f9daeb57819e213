using Spillway.Config;
using Spillway.Runtimes;

namespace Spillway.Hosting;

/// <summary>
/// What a server inside an application serves and how. Either a file says it, or the application's own configuration
/// and code do. Everything is checked when the application starts, and all that is wrong is said at once.
/// </summary>
public sealed class SpillwayHostOptions
{
    /// <summary>
    /// Path of a spillway.yaml or of its folder, relative to the application's content root; null (the default) for
    /// none. Variables SPILLWAY__… override it, as for the stand-alone server. Beside a file neither a section of the
    /// application's configuration is read nor may <see cref="Settings"/> or <see cref="Models"/> say anything.
    /// </summary>
    public string? ConfigFile { get; set; }

    /// <summary>
    /// The section of the application's configuration (appsettings.json, variables, secrets …) that has the keys of
    /// spillway.yaml; default "Spillway". It may be absent. Each entry of its list models is a folder that holds a
    /// model.yaml, or the keys of one.
    /// </summary>
    public string ConfigurationSection { get; set; } = "Spillway";

    /// <summary>
    /// Settings made in code, which win over the section's. Address, ports and the limit of connections have no effect
    /// here: the application's own server listens.
    /// </summary>
    public SpillwayOptions Settings { get; set; } = new();

    /// <summary>Models made in code, beside the section's. Each needs a name; paths start at content root.</summary>
    public IList<ModelOptions> Models { get; } = [];

    /// <summary>What executes models. The simulated runtime is there; others are added: Runtimes.AddOnnx().</summary>
    public RuntimeSet Runtimes { get; } = new();

    /// <summary>
    /// As whom the client inside the application asks: its tenant in records and bills, its models, how much of an
    /// answer it sees. Default: <see cref="Spillway.Caller.Local"/>, which may do everything.
    /// </summary>
    public Caller Caller { get; set; } = Caller.Local;

    /// <summary>
    /// Says that the application itself decides who may call the mapped endpoints, as with
    /// MapSpillway().RequireAuthorization(). Default false: then only programs on this machine are answered, by their
    /// Host header, and no web page from elsewhere. Whoever reaches the endpoints may use every model, read every
    /// metric and change log and trace settings, so set it only together with a check of your own. With access.keys:
    /// required it has no effect: then a key is asked for in any case.
    /// </summary>
    public bool HostAuthenticatesCallers { get; set; }

    /// <summary>
    /// Whether MapSpillway maps the gRPC services too: inference.GRPCInferenceService and grpc.health.v1.Health, at the
    /// paths that every client calls, also where a prefix stands before the REST endpoints. Default false. They need
    /// HTTP/2: a Kestrel endpoint with Protocols Http2, or TLS. The limits of a connection are the application's.
    /// </summary>
    public bool MapGrpc { get; set; }

    /// <summary>
    /// Whether the application's start waits until every load has ended, well or badly. Default false: it starts at
    /// once, and until a model is there its requests are refused with "still loading".
    /// </summary>
    public bool WaitForModels { get; set; }
}

using Spillway.Config.Repository;
using Spillway.Policies.Identity;
using Spillway.Policies.Budgets;
using Spillway.Policies.Rates;
using Spillway.Policies.Residency;
using Spillway.Policies.Pricing;
using Spillway.Store.Ledger;
using Spillway.Store.Audit;
using Spillway.Store.Provenance;

namespace Spillway.Config;

/// <summary>One spillway.yaml as a person wrote it, with the model.yaml files it names.</summary>
public sealed record SpillwayOptions
{
    /// <summary>The door.</summary>
    [Option("The door: address, limits, name.")]
    public ServerOptions Server { get; init; } = new();

    /// <summary>Where traces and metrics are sent.</summary>
    [Option("Where traces and metrics are sent by OTLP; the standard OTEL_ variables override it.")]
    public TelemetryOptions Telemetry { get; init; } = new();

    /// <summary>Folders that hold a model.yaml.</summary>
    [Option("Folders that hold a model.yaml each, relative to this file. May be absent beside a repository.")]
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>A folder of models with versions; null for none.</summary>
    [Option("A folder of models, each with a folder for every version, as Triton lays them out.")]
    public RepositoryOptions? Repository { get; init; }

    /// <summary>Routes by name.</summary>
    [Option("Routes by name: what clients ask for, with a cache and a chain of steps that answer one after the other.")]
    public IReadOnlyDictionary<string, RouteOptions> Routes { get; init; } = new Dictionary<string, RouteOptions>();

    /// <summary>Upstreams by name.</summary>
    [Option("Other Open Inference servers by name, which steps of routes may name in place of a model.")]
    public IReadOnlyDictionary<string, UpstreamOptions> Upstreams { get; init; } =
        new Dictionary<string, UpstreamOptions>();

    /// <summary>Budgets of memory.</summary>
    [Option("How much memory models may take, and what happens when more are wanted.")]
    public ResidencyOptions Residency { get; init; } = new();

    /// <summary>Rate limits, fair shares, the kill switch's file.</summary>
    [Option("Rate limits, fair shares between tenants, and the kill switch's file.")]
    public LimitsOptions Limits { get; init; } = new();

    /// <summary>Budgets by name.</summary>
    [Option("Budgets of money by name; a request must find its upper bound in every one that counts it.")]
    public IReadOnlyDictionary<string, BudgetOptions> Budgets { get; init; } = new Dictionary<string, BudgetOptions>();

    /// <summary>Concurrency groups by name, each with its limit.</summary>
    [Option("Concurrency groups by name, each with the runs at once that its members (sharing.group in model.yaml) "
        + "may have together "
        + "on each device: { heavy: 1 }.", Unit = "runs", Min = 1, Max = 256)]
    public IReadOnlyDictionary<string, int> Groups { get; init; } = new Dictionary<string, int>();

    /// <summary>Who may call.</summary>
    [Option("Who may call, and how a caller shows who it is: keys, tokens, TLS.")]
    public AccessOptions Access { get; init; } = new();

    /// <summary>Who pays, by name.</summary>
    [Option("Who pays, by name. Empty: any name will do. Else keys, tokens, limits and budgets may only name these.")]
    public IReadOnlyDictionary<string, TenantOptions> Tenants { get; init; } = new Dictionary<string, TenantOptions>();

    /// <summary>What work costs; null prices nothing.</summary>
    [Option("What work costs, dated. Without the section nothing is priced; with it every model must be.")]
    public PricesOptions? Prices { get; init; }

    /// <summary>Durable bills; null keeps none.</summary>
    [Option("Durable bills, in server.stateFolder. Without the section none are kept.")]
    public LedgerOptions? Ledger { get; init; }

    /// <summary>Who did what, written down for good; null writes nothing.</summary>
    [Option("The audit log: who asked what, what was refused and why, who changed the server, in an append-only log "
        + "with signed heads. Its presence switches it on.")]
    public AuditOptions? Audit { get; init; }

    /// <summary>Whose signatures of models count; null asks nobody.</summary>
    [Option("Signatures of models: whose count, and whether one is required.")]
    public SigningOptions? Signing { get; init; }
}

using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using Spillway.Config.Repository;
using Spillway.Policies.Identity;
using Spillway.Policies.Budgets;
using Spillway.Policies.Rates;
using Spillway.Policies.Residency;
using Spillway.Policies.Pricing;
using Spillway.Store.Ledger;
using Spillway.Store.Audit;
using Spillway.Store.Provenance;
using Spillway.Transforms.Tokens;

namespace Spillway.Config;

/// <summary>
/// The validated configuration that a server runs on: immutable, so readers need no lock. A reload makes another one;
/// a request keeps the one that it began with.
/// </summary>
public sealed record Snapshot
{
    private Snapshot(ConfigResult loaded, SpillwayOptions options)
    {
        Source = loaded.Source;
        Server = options.Server;
        (Models, Groups, Repository) = ([.. loaded.Models], options.Groups, options.Repository);
        (Telemetry, Residency) = (options.Telemetry, options.Residency);
        (Access, Tenants) = (options.Access, options.Tenants);
        (Limits, Budgets) = (options.Limits, options.Budgets);
        (Routes, Upstreams) = (options.Routes, options.Upstreams);
        (Prices, Ledger) = (options.Prices, options.Ledger);
        Tokenizers = loaded.Tokenizers;
        PriceList = Prices is null ? null : PriceList.From(Prices);
        (Audit, Signing) = (options.Audit, options.Signing);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            WriteJson(json);
        Digest = Convert.ToHexStringLower(SHA256.HashData(buffer.WrittenSpan));
    }

    /// <summary>Absolute path of the spillway.yaml.</summary>
    public string Source { get; }

    /// <summary>The door.</summary>
    public ServerOptions Server { get; }

    /// <summary>Who may call; every path in it is absolute.</summary>
    public AccessOptions Access { get; }

    /// <summary>Who pays, by name; empty when any name will do.</summary>
    public IReadOnlyDictionary<string, TenantOptions> Tenants { get; }

    /// <summary>Where traces and metrics are sent.</summary>
    public TelemetryOptions Telemetry { get; }

    /// <summary>Rate limits, fair shares, the kill switch's file.</summary>
    public LimitsOptions Limits { get; }

    /// <summary>Budgets by name.</summary>
    public IReadOnlyDictionary<string, BudgetOptions> Budgets { get; }

    /// <summary>Routes by name.</summary>
    public IReadOnlyDictionary<string, RouteOptions> Routes { get; }

    /// <summary>The vocabularies of chat routes, by route.</summary>
    internal IReadOnlyDictionary<string, Tokenizer> Tokenizers { get; }

    /// <summary>Other servers that routes lead to, by name.</summary>
    public IReadOnlyDictionary<string, UpstreamOptions> Upstreams { get; }

    /// <summary>Absolute path of the folder of what must survive a restart.</summary>
    public string StateFolder => Path.GetFullPath(
        Server.StateFolder, Path.GetDirectoryName(Path.GetFullPath(Source)) ?? Path.GetFullPath("."));
    /// <summary>The audit log, its paths absolute; null for none.</summary>
    public AuditOptions? Audit { get; }

    /// <summary>Whose signatures of models count, its paths absolute; null asks nobody.</summary>
    public SigningOptions? Signing { get; }

    /// <summary>
    /// The models in the order of the root file; every path in them is absolute, every default filled in. Those of the
    /// repository are not among them.
    /// </summary>
    public IReadOnlyList<ModelOptions> Models { get; }

    /// <summary>The folder of models with versions, its path absolute; null for none.</summary>
    public RepositoryOptions? Repository { get; }

    /// <summary>Budgets of memory.</summary>
    public ResidencyOptions Residency { get; }

    /// <summary>The limit of each concurrency group, on each device.</summary>
    public IReadOnlyDictionary<string, int> Groups { get; }

    /// <summary>What work costs, as it was written; null prices nothing.</summary>
    public PricesOptions? Prices { get; }

    /// <summary>The same, ready to be asked.</summary>
    public PriceList? PriceList { get; }

    /// <summary>Durable bills; null keeps none.</summary>
    public LedgerOptions? Ledger { get; }

    /// <summary>1 for the first of a process, then counting up.</summary>
    public required int Number { get; init; }

    /// <summary>When it was loaded.</summary>
    public required DateTimeOffset LoadedAt { get; init; }

    /// <summary>
    /// SHA-256 in lower-case hexadecimal of the effective configuration (<see cref="WriteJson"/>): equal digests mean
    /// equal behaviour on this machine. Comments, the order of options, and whether a value came from a file, a
    /// variable or a default do not matter; absolute paths do.
    /// </summary>
    public string Digest { get; }

    /// <summary>SHA-256 of the prices in force, as <see cref="Digest"/> is of everything; empty without prices.</summary>
    public string PriceDigest
    {
        get
        {
            if (Prices is null)
                return "";
            var buffer = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(buffer))
                EffectiveJson.Write(json, Prices);
            return Convert.ToHexStringLower(SHA256.HashData(buffer.WrittenSpan));
        }
    }

    /// <summary>Makes one of a valid result; throws for an invalid one, because the caller did not look.</summary>
    /// <param name="loaded">A result without errors.</param>
    /// <param name="number">1 for the first of a process.</param>
    /// <param name="loadedAt">The time, from the shell's clock.</param>
    public static Snapshot From(ConfigResult loaded, int number, DateTimeOffset loadedAt) => loaded.Valid
        ? new(loaded, loaded.Options) { Number = number, LoadedAt = loadedAt }
        : throw new ArgumentException("The configuration has errors.", nameof(loaded));

    /// <summary>What a request's record says of it.</summary>
    internal ConfigMark Mark => new(Digest, PriceDigest);

    /// <summary>The same server with other parts: those that a reload puts in force.</summary>
    internal Snapshot With(SpillwayOptions parts, DateTimeOffset loadedAt) => new(
        new() { Source = Source, Models = Models },
        parts with
        {
            Server = Server, Groups = Groups, Repository = Repository, Telemetry = Telemetry, Residency = Residency,
            Access = Access, Tenants = Tenants, Ledger = Ledger, Audit = Audit, Signing = Signing,
        })
    {
        Number = Number + 1, LoadedAt = loadedAt,
    };

    /// <summary>Writes the effective configuration: every key, also those left at their defaults.</summary>
    public void WriteJson(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WritePropertyName("server");
        EffectiveJson.Write(json, Server);
        json.WritePropertyName("access");
        EffectiveJson.Write(json, Access);
        WriteByName(json, "tenants", Tenants);
        json.WritePropertyName("telemetry");
        EffectiveJson.Write(json, Telemetry);
        json.WritePropertyName("audit");
        EffectiveJson.Value(json, Audit, OptionShape.Of(typeof(AuditOptions)));
        json.WritePropertyName("signing");
        EffectiveJson.Value(json, Signing, OptionShape.Of(typeof(SigningOptions)));
        json.WriteStartArray("models");
        foreach (var model in Models)
        {
            EffectiveJson.Write(json, model, model.RuntimeOptions is { } runtime ? (model.Runtime, runtime) : null);
        }

        json.WriteEndArray();
        json.WritePropertyName("repository");
        EffectiveJson.Value(json, Repository, OptionShape.Of(typeof(RepositoryOptions)));
        json.WritePropertyName("residency");
        EffectiveJson.Write(json, Residency);
        json.WritePropertyName("limits");
        EffectiveJson.Write(json, Limits);
        WriteByName(json, "budgets", Budgets);
        WriteByName(json, "routes", Routes);
        WriteByName(json, "upstreams", Upstreams);
        json.WriteStartObject("groups");
        foreach (var (name, limit) in Groups.OrderBy(g => g.Key, StringComparer.Ordinal))
            json.WriteNumber(name, limit);
        json.WriteEndObject();
        json.WritePropertyName("prices");
        EffectiveJson.Value(json, Prices, OptionShape.Of(typeof(PricesOptions)));
        json.WritePropertyName("ledger");
        EffectiveJson.Value(json, Ledger, OptionShape.Of(typeof(LedgerOptions)));
        json.WriteEndObject();
    }

    private static void WriteByName<T>(Utf8JsonWriter json, string section, IReadOnlyDictionary<string, T> byName)
        where T : notnull
    {
        json.WriteStartObject(section);
        foreach (var (name, options) in byName.OrderBy(o => o.Key, StringComparer.Ordinal))
        {
            json.WritePropertyName(name);
            EffectiveJson.Write(json, options);
        }

        json.WriteEndObject();
    }
}

/// <summary>What a request's record says of the configuration that it began with.</summary>
/// <param name="Digest">The configuration's.</param>
/// <param name="PriceDigest">The prices'; empty without prices.</param>
internal sealed record ConfigMark(string Digest, string PriceDigest)
{
    /// <summary>Of nothing that is known.</summary>
    public static ConfigMark None { get; } = new("", "");
}

namespace Spillway.Policies.Identity;

/// <summary>Whether callers must show who they are.</summary>
public enum KeysMode
{
    /// <summary>No keys: only programs on this machine are served, and each may do everything.</summary>
    Off,

    /// <summary>Every request but a health check shows a key, a token or a client certificate.</summary>
    Required,
}

/// <summary>Who may call, and how a caller shows who it is.</summary>
public sealed record AccessOptions
{
    /// <summary>The most keys of one server, revoked ones included: about 1 KB of memory each.</summary>
    public const int KeysMax = 100_000;

    /// <summary>Whether callers must show who they are.</summary>
    [Option("Whether callers must show who they are: off (only programs on this machine are served, and each may do "
        + "everything) or required (every request but a health check has a key, a token or a client certificate). "
        + "`spillway keys create` makes keys.", Source = "nothing to set up on a laptop; the server stays on loopback")]
    public KeysMode Keys { get; init; } = KeysMode.Off;

    /// <summary>Where the pepper of the keys' digests lies.</summary>
    [Option("Where the pepper of the keys' digests lies: env:NAME or file:PATH (relative to this file), 16 bytes or "
        + "more. Empty makes one and keeps it in the state folder, readable by the owner alone. Whoever copies the "
        + "state folder then has both; a pepper from elsewhere keeps them apart.")]
    public string Pepper { get; init; } = "";

    /// <summary>Whether another address than loopback may be listened on without TLS.</summary>
    [Option("Whether an address beyond loopback may be served without TLS: keys and answers then cross the network "
        + "in the clear. For a server behind a proxy that ends TLS.")]
    public bool PlainText { get; init; }

    /// <summary>Whether /metrics needs no key.</summary>
    [Option("Whether /metrics is answered without a key. By default it needs the role operator or auditor.")]
    public bool MetricsOpen { get; init; }

    /// <summary>Origins of web pages that may call.</summary>
    [Option("Origins of web pages that may call from a browser, as https://app.example.org. Every other page is "
        + "refused.")]
    public IReadOnlyList<string> Origins { get; init; } = [];

    /// <summary>TLS; null for plain HTTP.</summary>
    [Option("TLS for REST and gRPC.")]
    public TlsOptions? Tls { get; init; }

    /// <summary>Tokens of an identity provider; null for none.</summary>
    [Option("Tokens (JWT) of an identity provider, beside keys.")]
    public JwtOptions? Jwt { get; init; }
}

/// <summary>Somebody who pays.</summary>
public sealed record TenantOptions
{
    /// <summary>Who answers for it.</summary>
    [Option("Who answers for it: a team or an address. `spillway check` warns without one.")]
    public string Owner { get; init; } = "";
}

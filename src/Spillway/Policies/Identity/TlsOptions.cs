namespace Spillway.Policies.Identity;

/// <summary>Whether clients show a certificate.</summary>
public enum ClientCertificates
{
    /// <summary>None is asked for.</summary>
    Off,

    /// <summary>One is asked for; who has none shows a key or a token.</summary>
    Optional,

    /// <summary>No connection without one.</summary>
    Required,
}

/// <summary>TLS 1.2 and 1.3 for REST and gRPC.</summary>
public sealed record TlsOptions
{
    /// <summary>The certificate's file.</summary>
    [Option("The certificate: a PEM file, with the chain behind it where there is one, or a PFX file. Relative to this "
        + "file; a changed file is read again within half a minute.", Required = true)]
    public string Certificate { get; init; } = "";

    /// <summary>The private key's file.</summary>
    [Option("The private key as a PEM file; empty for a PFX file, or when it stands in the certificate's file.")]
    public string Key { get; init; } = "";

    /// <summary>Where the password lies.</summary>
    [Option("Where the password of the private key or the PFX file lies: env:NAME or file:PATH; empty for none.")]
    public string Password { get; init; } = "";

    /// <summary>Whether clients show a certificate.</summary>
    [Option("Whether clients show a certificate: off, optional (who has none shows a key or a token), required.")]
    public ClientCertificates ClientCertificates { get; init; } = ClientCertificates.Off;

    /// <summary>The certificates that clients' ones must lead to.</summary>
    [Option("The certificate authorities of clients, a PEM file; no others are trusted. Relative to this file.")]
    public string ClientCa { get; init; } = "";

    /// <summary>Whose client certificates are known, by their common name.</summary>
    [Option("Who the holders of client certificates are, by the certificate's common name. A certificate that is not "
        + "among them opens a connection, and nothing more.")]
    public IReadOnlyDictionary<string, ClientOptions> Clients { get; init; } = new Dictionary<string, ClientOptions>();
}

/// <summary>The holder of a client certificate.</summary>
public sealed record ClientOptions
{
    /// <summary>Who pays.</summary>
    [Option("The tenant that it belongs to.", Required = true)]
    public string Tenant { get; init; } = "";

    /// <summary>What it may do.</summary>
    [Option("What it may do: caller, operator, auditor.", OneOf = "caller|operator|auditor")]
    public IReadOnlyList<string> Roles { get; init; } = ["caller"];
}

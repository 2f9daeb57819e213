namespace Spillway.Policies.Identity;

/// <summary>Which tokens of an identity provider are taken, and who their holders are.</summary>
public sealed record JwtOptions
{
    /// <summary>Who issues them.</summary>
    [Option("The issuer: the exact value of the claim iss.", Required = true)]
    public string Issuer { get; init; } = "";

    /// <summary>Whom they are for.</summary>
    [Option("The audience: a value of the claim aud.", Required = true)]
    public string Audience { get; init; } = "";

    /// <summary>Where the issuer's public keys are.</summary>
    [Option("The issuer's public keys, a JSON Web Key Set: an https address (http only on this machine) or a file, "
        + "relative to this file. Read in the background, at most 1 MiB and 10 s, never while a request waits.",
        Required = true)]
    public string Jwks { get; init; } = "";

    /// <summary>How often the keys are read.</summary>
    [Option("How often the key set is read again. A token with a key that is not known makes it read sooner, once in "
        + "half a minute at the most.", Unit = "ms", Min = 1000, Max = 86_400_000,
        Source = "identity providers announce keys hours before they use them")]
    public double JwksRefreshMs { get; init; } = 300_000;

    /// <summary>How long keys are in force that cannot be read again.</summary>
    [Option("How long the keys that were read last stay in force while the set cannot be read again, from the first "
        + "reading in vain; it is tried every half a minute. Then every token is refused: a key may have been taken "
        + "back meanwhile.",
        Unit = "ms", Min = 60_000, Max = 31_536_000_000, Source = "an identity provider that is down for a night")]
    public double JwksKeepMs { get; init; } = 86_400_000;

    /// <summary>Algorithms that are taken.</summary>
    [Option("Signature algorithms that are taken. None that signs with a shared secret, and never `none`.",
        OneOf = "RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|ES512")]
    public IReadOnlyList<string> Algorithms { get; init; } = ["RS256", "PS256", "ES256"];

    /// <summary>How far clocks may be apart.</summary>
    [Option("How far the issuer's clock and this one may be apart.", Unit = "ms", Min = 0, Max = 600_000,
        Source = "machines that keep time by NTP are nearer")]
    public double ClockSkewMs { get; init; } = 30_000;

    /// <summary>The claim that names the tenant.</summary>
    [Option("The claim that names the tenant. A token without it is refused.")]
    public string TenantClaim { get; init; } = "tenant";

    /// <summary>The claim that names roles; empty when every holder is a caller.</summary>
    [Option("The claim that names roles, a list or words with spaces between. Empty (the default): every holder has "
        + "the role caller and no other.")]
    public string RolesClaim { get; init; } = "";

    /// <summary>What the words of that claim mean.</summary>
    [Option("What the words of that claim mean, as { inference-users: caller, ml-admins: operator }. Empty: the words "
        + "caller, operator and auditor themselves. Other words mean nothing.", OneOf = "caller|operator|auditor")]
    public IReadOnlyDictionary<string, string> Roles { get; init; } = new Dictionary<string, string>();

    /// <summary>Verified tokens that are remembered.</summary>
    [Option("Verified tokens that are remembered until they end, so that their signature is checked once.",
        Unit = "tokens", Min = 16, Max = 1_000_000, Source = "a few hundred bytes each")]
    public int CacheMax { get; init; } = 10_000;
}

namespace Spillway.Store.Provenance;

/// <summary>
/// The section signing: of spillway.yaml: whose signatures of models count, and where one is demanded.
/// </summary>
public sealed record SigningOptions
{
    /// <summary>Public keys.</summary>
    [Option("Public keys (ECDSA P-256, PEM) whose signatures of models count: files relative to this one.")]
    public IReadOnlyList<string> Trusted { get; init; } = [];

    /// <summary>Whether every model must be signed.</summary>
    [Option("Whether a model without a signature of a trusted key is refused. Models without a file (simulated) have "
        + "nothing to sign. A model.yaml may demand it for itself, and can never lift what is demanded here.")]
    public bool Required { get; init; }

    /// <summary>Models that need none.</summary>
    [Option("Deployments that need no signature though required is set.")]
    public IReadOnlyList<string> Exempt { get; init; } = [];
}

/// <summary>The section signing: of model.yaml.</summary>
public sealed record ModelSigningOptions
{
    /// <summary>Whether this model must be signed.</summary>
    [Option("Whether this model is refused without a signature of a key that spillway.yaml trusts (signing.trusted).")]
    public bool Required { get; init; }
}

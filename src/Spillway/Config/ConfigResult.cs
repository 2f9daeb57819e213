using System.Diagnostics.CodeAnalysis;
using Spillway.Transforms.Tokens;

namespace Spillway.Config;

/// <summary>
/// What <see cref="ConfigLoader"/> found: a complete configuration, or everything that is wrong with it.
/// </summary>
public sealed record ConfigResult
{
    /// <summary>Absolute path of the spillway.yaml.</summary>
    public required string Source { get; init; }

    /// <summary>The root file with overrides applied; null when there are errors.</summary>
    public SpillwayOptions? Options { get; init; }

    /// <summary>
    /// The models in the order of the root file, with defaults filled in and every path absolute; empty when there
    /// are errors.
    /// </summary>
    public IReadOnlyList<ModelOptions> Models { get; init; } = [];

    /// <summary>All errors at once; empty means valid.</summary>
    public IReadOnlyList<ConfigError> Errors { get; init; } = [];

    /// <summary>What is allowed and deserves a word, as a model without an owner; empty when there are errors.</summary>
    public IReadOnlyList<ConfigError> Notes { get; init; } = [];

    /// <summary>The vocabularies of chat routes, by route.</summary>
    internal IReadOnlyDictionary<string, Tokenizer> Tokenizers { get; init; } = new Dictionary<string, Tokenizer>();

    /// <summary>True when there is no error.</summary>
    [MemberNotNullWhen(true, nameof(Options))]
    public bool Valid => Errors.Count == 0 && Options is not null;
}

namespace Spillway.App.Cli.Converting;

/// <summary>What a configuration of another gateway becomes.</summary>
internal sealed class Converted
{
    /// <summary>Upstreams by name, in their order.</summary>
    public OrderedDictionary<string, ConvertedUpstream> Upstreams { get; } = [];

    /// <summary>Routes by name, in their order.</summary>
    public OrderedDictionary<string, ConvertedRoute> Routes { get; } = [];

    /// <summary>Lines that a person must look at: number, key, why.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Attempts of a request at one upstream; null for the default.</summary>
    public int? AttemptsMax { get; set; }

    /// <summary>How long a target is left alone; null for the default.</summary>
    public double? CoolMs { get; set; }

    /// <summary>Whether callers need keys.</summary>
    public bool HasKeys { get; set; }
}

/// <summary>One upstream.</summary>
internal sealed record ConvertedUpstream
{
    /// <summary>openai or azure.</summary>
    public required string Kind { get; init; }

    /// <summary>What the provider calls the model.</summary>
    public required string Model { get; init; }

    /// <summary>The variables of its keys.</summary>
    public List<string> Keys { get; init; } = [];

    /// <summary>Azure's version; empty for none.</summary>
    public string ApiVersion { get; init; } = "";

    /// <summary>Addresses with their weights.</summary>
    public List<(string Url, double Weight)> Targets { get; init; } = [];

    /// <summary>Of a whole call; null for the default.</summary>
    public double? TotalMs { get; set; }

    /// <summary>To the first token; null for the default.</summary>
    public double? FirstDeltaMs { get; set; }

    /// <summary>Price of a million tokens of prompts; null for none.</summary>
    public double? PerMillionInput { get; set; }

    /// <summary>Price of a million tokens of answers; null for none.</summary>
    public double? PerMillionOutput { get; set; }
}

/// <summary>One route.</summary>
internal sealed class ConvertedRoute
{
    /// <summary>The upstreams of its steps.</summary>
    public List<string> Steps { get; } = [];

    /// <summary>Requests a minute of all its deployments; null for no limit.</summary>
    public double? RequestsPerMinute { get; set; }

    /// <summary>Tokens a minute of all its deployments; null for no limit.</summary>
    public double? TokensPerMinute { get; set; }
}

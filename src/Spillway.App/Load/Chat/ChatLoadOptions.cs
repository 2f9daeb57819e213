namespace Spillway.App.Load.Chat;

/// <summary>What `spillway load chat` was told.</summary>
internal sealed record ChatLoadOptions
{
    /// <summary>Base address with /v1.</summary>
    public required Uri Address { get; init; }

    /// <summary>The model that is asked for.</summary>
    public required string Model { get; init; }

    /// <summary>Sent as a bearer; empty for none.</summary>
    public string Key { get; init; } = "";

    /// <summary>Requests a second; 0 for a closed loop.</summary>
    public double Rate { get; init; }

    /// <summary>In a closed loop, how many ask at once.</summary>
    public int Concurrency { get; init; } = 1;

    /// <summary>How long requests are sent.</summary>
    public double Seconds { get; init; } = 10;

    /// <summary>How long one request may take.</summary>
    public double TimeoutSeconds { get; init; } = 120;

    /// <summary>A trace in the format of Azure's LLM data set; null for none.</summary>
    public string? Trace { get; init; }

    /// <summary>How much faster than recorded.</summary>
    public double TraceSpeed { get; init; } = 1;

    /// <summary>Tokens of prompts, drawn evenly.</summary>
    public (int From, int To) Prompt { get; init; } = (100, 100);

    /// <summary>Tokens of answers, drawn evenly.</summary>
    public (int From, int To) Answer { get; init; } = (64, 64);

    /// <summary>The promised time to the first token, in ns; 0 for none.</summary>
    public long FirstTokenNs { get; init; }

    /// <summary>The promised time of each further token, in ns; 0 for none.</summary>
    public long PerTokenNs { get; init; }

    /// <summary>Seed of arrivals and lengths.</summary>
    public int Seed { get; init; } = 1;
}

using Spillway.App.Load.Search;

namespace Spillway.App.Load;

/// <summary>
/// What a person wrote after <c>spillway load</c>. <see cref="LoadPlanner"/> makes a checked plan of it.
/// </summary>
internal sealed record LoadOptions
{
    public const string DefaultServer = "http://127.0.0.1:8000";

    /// <summary><c>[name=]URL</c>, repeatable.</summary>
    public string[] Servers { get; init; } = [DefaultServer];

    /// <summary><c>MODEL</c> or <c>server-name:MODEL</c>.</summary>
    public string[] Models { get; init; } = [];

    /// <summary><c>/path</c> or <c>server-name:/path</c>.</summary>
    public string[] Paths { get; init; } = [];

    /// <summary><c>name=random|zeros|file</c>.</summary>
    public string[] Inputs { get; init; } = [];

    /// <summary><c>name=1,3,48,320</c>.</summary>
    public string[] Shapes { get; init; } = [];

    public string? Body { get; init; }

    public string[] Raw { get; init; } = [];

    /// <summary><c>K: V</c>.</summary>
    public string[] Headers { get; init; } = [];

    public string Format { get; init; } = "binary";

    /// <summary>Null: as <see cref="Format"/>.</summary>
    public string? OutputFormat { get; init; }

    /// <summary>Requests per second; null: closed loop, or a trace.</summary>
    public double? Rate { get; init; }

    /// <summary>Null: poisson.</summary>
    public string? Arrivals { get; init; }

    /// <summary>Null: 20.</summary>
    public double? Dispersion { get; init; }

    public string? Trace { get; init; }

    /// <summary>Null: 1.</summary>
    public double? TraceSpeed { get; init; }

    public int? Concurrency { get; init; }

    public string? Duration { get; init; }

    public long? Requests { get; init; }

    /// <summary>Null: 1 s, and 0 for a trace.</summary>
    public string? Warmup { get; init; }

    /// <summary>Null: 1, and 10 for a comparison.</summary>
    public int? Rounds { get; init; }

    public double? DeadlineMs { get; init; }

    public int? Priority { get; init; }

    /// <summary>Null: 256.</summary>
    public int? Connections { get; init; }

    public string? Phases { get; init; }

    public int Seed { get; init; } = 1;

    /// <summary>Different random requests per endpoint.</summary>
    public int Variants { get; init; } = 8;

    public string Timeout { get; init; } = "30s";

    public string Drain { get; init; } = "10s";

    /// <summary><c>[name=]PID</c>.</summary>
    public string[] Pids { get; init; } = [];

    public string? Csv { get; init; }

    /// <summary>An SVG file of latency over load.</summary>
    public string? Plot { get; init; }

    /// <summary><c>A=URL B=URL</c>; the first is the base.</summary>
    public string[] Compare { get; init; } = [];

    /// <summary>A saved report.</summary>
    public string? Baseline { get; init; }

    /// <summary>"5%"; null: 5 %.</summary>
    public string? Tolerance { get; init; }

    /// <summary><c>100,200,400</c> or <c>50..1600:6</c>.</summary>
    public string? Sweep { get; init; }

    public SearchOptions Search { get; init; } = new();

    public bool Json { get; init; }
}

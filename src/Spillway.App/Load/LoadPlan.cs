using System.Net;
using Spillway.App.Load.Compare;

namespace Spillway.App.Load;

/// <summary>One target of a run, ready to send to.</summary>
internal sealed record Endpoint
{
    /// <summary>As the report calls it; unique.</summary>
    public required string Name { get; init; }

    public required Uri Server { get; init; }

    public required IPEndPoint Address { get; init; }

    public required string Path { get; init; }

    /// <summary>Null for a bare path.</summary>
    public required string? Model { get; init; }

    /// <summary>Complete requests.</summary>
    public required byte[][] Requests { get; init; }

    /// <summary>Null when nobody named one: then every ok answer is good.</summary>
    public required double? DeadlineMs { get; init; }

    /// <summary>Where the deadline comes from: "command line", "model metadata" or "none".</summary>
    public required string DeadlineSource { get; init; }

    /// <summary>The root of the server's process tree.</summary>
    public required int? Pid { get; init; }

    public StageTable Stages { get; } = new();

    public long DeadlineNs => DeadlineMs is { } ms ? (long)(ms * LoadClock.PerMillisecond) : long.MaxValue;
}

/// <summary>A checked run.</summary>
internal sealed record LoadPlan
{
    public required IReadOnlyList<Endpoint> Endpoints { get; init; }

    public required int Rounds { get; init; }

    public required double WarmupSeconds { get; init; }

    public required double DurationSeconds { get; init; }

    public required long RequestsMax { get; init; }

    /// <summary>One phase of the whole duration unless <c>--phases</c> names others.</summary>
    public required IReadOnlyList<Phase> Phases { get; init; }

    /// <summary>Connections of the closed loop; 0: open loop.</summary>
    public required int Concurrency { get; init; }

    public required int ConnectionsMax { get; init; }

    /// <summary>"closed", "poisson", "constant", "bursty" or "trace".</summary>
    public required string Arrivals { get; init; }

    /// <summary>Requests per second of the open loop; 0 otherwise.</summary>
    public required double Rate { get; init; }

    public required double Dispersion { get; init; }

    public required double[] Trace { get; init; }

    public required double TraceSpeed { get; init; }

    public required int Seed { get; init; }

    public required double TimeoutSeconds { get; init; }

    public required double DrainSeconds { get; init; }

    /// <summary>Rates to run one after another; empty: none.</summary>
    public required IReadOnlyList<double> Sweep { get; init; }

    /// <summary>Judges endpoints against the first, or against <see cref="Baseline"/>; null: nobody asked.</summary>
    public required Comparer? Comparer { get; init; }

    public required Baseline? Baseline { get; init; }

    /// <summary>What a reader should know of this run, beside its figures.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>A fresh sequence of arrivals.</summary>
    public Arrivals CreateArrivals(int seed) => Arrivals switch
    {
        "trace" => new Arrivals.Trace(Trace, TraceSpeed),
        "constant" => new Arrivals.Constant(Rate),
        "bursty" when Dispersion > 1 => new BurstyArrivals(Rate, Dispersion, new Random(seed)),
        _ => new Arrivals.Poisson(Rate, new Random(seed)),
    };
}

namespace Spillway.App.Load.Search;

/// <summary>What a person wrote about a search; texts are checked by <see cref="SearchPlan"/>.</summary>
internal sealed record SearchOptions
{
    public bool FindMax { get; init; }

    public string? P50 { get; init; }

    public string? P90 { get; init; }

    public string? P95 { get; init; }

    public string? P99 { get; init; }

    public string? P999 { get; init; }

    /// <summary>"99%" or "0.99".</summary>
    public string? Goodput { get; init; }

    /// <summary>Null: 99 %, as MLPerf has it.</summary>
    public string? Confidence { get; init; }

    /// <summary>Null: 5 %.</summary>
    public string? Resolution { get; init; }

    /// <summary>Null: 60 s.</summary>
    public string? StepMax { get; init; }

    /// <summary>Whether anything but <see cref="FindMax"/> itself was given.</summary>
    public bool HasBounds => Goodput is not null || Percentiles().Any(p => p.Text is not null);

    public bool HasTuning => Confidence is not null || Resolution is not null || StepMax is not null;

    public IEnumerable<(string Name, double Share, string? Text)> Percentiles() =>
    [
        ("p50", 0.5, P50), ("p90", 0.9, P90), ("p95", 0.95, P95), ("p99", 0.99, P99), ("p99.9", 0.999, P999),
    ];
}

/// <summary>A checked search.</summary>
/// <param name="Bounds">All of them must hold.</param>
/// <param name="Confidence">0.5 to 0.9999.</param>
/// <param name="Resolution">The search ends when the rates that hold and break are closer than this.</param>
/// <param name="StepSecondsMax">A step that shows nothing until then counts as broken.</param>
internal sealed record SearchPlan(
    IReadOnlyList<Bound> Bounds, double Confidence, double Resolution, double StepSecondsMax)
{
    private const double StepSecondsMin = 0.2;

    public static SearchPlan Create(SearchOptions options, double? deadlineMs)
    {
        var confidence = Quantity.Share("--confidence", options.Confidence ?? "99%");
        var resolution = Quantity.Share("--resolution", options.Resolution ?? "5%");
        var seconds = Quantity.Seconds("--step-max", options.StepMax ?? "60s");
        if (confidence is < 0.5 or > 0.9999)
            throw LoadException.Usage($"--confidence {confidence:0.####%} is out of range: 50 % to 99.99 %.");
        if (resolution is < 0.005 or > 1)
            throw LoadException.Usage($"--resolution {resolution:0.####%} is out of range: 0.5 % to 100 %.");
        if (seconds < StepSecondsMin)
            throw LoadException.Usage($"--step-max '{options.StepMax}' is too short for a step; at least 200ms.");
        return new(Bound.Parse(options, deadlineMs), confidence, resolution, seconds);
    }
}

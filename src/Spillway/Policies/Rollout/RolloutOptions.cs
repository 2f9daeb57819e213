namespace Spillway.Policies.Rollout;

/// <summary>How a new version takes over, and what stops it.</summary>
public sealed record RolloutOptions
{
    /// <summary>What is to take over.</summary>
    [Option("The served name, one version of it (line-ocr/2) or the upstream that is to take the place of the first "
        + "step's model; it must take and give the same. Empty: whoever starts the rollout says it.")]
    public string Challenger { get; init; } = "";

    /// <summary>The shares that the challenger gets, one after the other.</summary>
    [Option("The shares of callers that the challenger gets, one after the other. A caller that has it keeps it as the "
        + "share grows.", Unit = "%", Min = 0.01, Max = 100, Source = "small enough to bear, large enough to see")]
    public IReadOnlyList<double> StepsPercent { get; init; } = [1, 5, 25, 50, 100];

    /// <summary>Requests that the challenger answers in each step before the next.</summary>
    [Option("Requests that the challenger ends in each step before the next one.", Unit = "requests",
        Min = 1, Max = 1_000_000_000, Source = "2 % more failures show in about 400, 20 % more latency in 100")]
    public int StepRequestsMin { get; init; } = 500;

    /// <summary>The shortest time of a step.</summary>
    [Option("The shortest time of a step, however many requests come.", Unit = "s", Min = 0, Max = 31_536_000,
        Source = "a minute: caches fill, garbage is collected")]
    public double StepSecondsMin { get; init; } = 60;

    /// <summary>Whether the last step ends with the promotion.</summary>
    [Option("Whether the challenger becomes champion by itself after the last step; else somebody says so.",
        Source = "off: a person promotes")]
    public bool PromotesItself { get; init; }

    /// <summary>The share of the champion's requests of which the challenger gets a copy.</summary>
    [Option("The share of the champion's requests of which the challenger gets a copy, whose answer is compared and "
        + "thrown away. Never billed to the caller; dropped first under load.", Unit = "%", Min = 0, Max = 100,
        Source = "off: copies take capacity")]
    public double ShadowPercent { get; init; }

    /// <summary>The chance that a challenger that is no worse is stopped.</summary>
    [Option("The chance that a challenger that is no worse than its champion is stopped all the same, over the whole "
        + "rollout, however often it is looked at. The guards share it evenly.", Min = 0.0001, Max = 0.5,
        Source = "one in twenty, the usual promise")]
    public double FalseAbortRate { get; init; } = 0.05;

    /// <summary>How much slower it may be.</summary>
    [Option("How much slower the challenger may be before it is stopped: 0.05 is 5 % in the geometric mean.",
        Min = 0, Max = 100, Source = "less is seldom worth a stop")]
    public double LatencyTolerance { get; init; } = 0.05;

    /// <summary>How much dearer it may be.</summary>
    [Option("How much dearer a request may be with the challenger before it is stopped: 0.1 is 10 % in the geometric "
        + "mean. Null does not look at costs.", Min = 0, Max = 100)]
    public double? CostTolerance { get; init; }

    /// <summary>The share of copies whose answers agree with the champion's.</summary>
    [Option("The share of copies whose answers must agree with the champion's; watched where there are copies.",
        Min = 0, Max = 1, Source = "two in a hundred may differ")]
    public double AgreementMin { get; init; } = 0.98;
}

namespace Spillway.Policies.Scaling;

/// <summary>Replicas for what is forecast to come while a new one would start.</summary>
public sealed record PredictiveOptions
{
    /// <summary>One step of the series.</summary>
    [Option("One step of the series of requests that is forecast.", Unit = "ms", Min = 1000, Max = 86_400_000,
        Source = "five minutes: what the traces of load balancers have")]
    public double StepMs { get; init; } = 300_000;

    /// <summary>How many steps repeat.</summary>
    [Option("The steps after which the demand repeats: 288 of five minutes are a day.", Unit = "steps",
        Min = 2, Max = 100_000, Source = "a day")]
    public int SeasonSteps { get; init; } = 288;

    /// <summary>How the level follows.</summary>
    [Option("How much of each surprise goes into the level (Holt-Winters' alpha).", Min = 0.001, Max = 1,
        Source = "the middle, as in the hand-computed example of the tests")]
    public double Level { get; init; } = 0.5;

    /// <summary>How the trend follows.</summary>
    [Option("How much of each surprise goes into the trend (beta).", Min = 0, Max = 1,
        Source = "little: a trend of minutes carries far")]
    public double Trend { get; init; } = 0.1;

    /// <summary>How the season follows.</summary>
    [Option("How much of each surprise goes into the season (gamma).", Min = 0, Max = 1,
        Source = "a fifth: five seasons to learn a new one")]
    public double Season { get; init; } = 0.2;

    /// <summary>How many steps the predictors are compared over.</summary>
    [Option("Over so many last steps the predictors are compared, at the same horizon; the best one is used.",
        Unit = "steps", Min = 4, Max = 100_000, Source = "two days of five minutes")]
    public int BackTestSteps { get; init; } = 576;

    /// <summary>How wrong a forecast may have been.</summary>
    [Option("A forecast whose weighted error over the last steps is above this part of the demand is not acted on; the "
        + "reactive policy decides alone.", Min = 0.01, Max = 10,
        Source = "of three public series, 0.07 and 0.17 for two that repeat, 0.18 to 0.33 for one that does not")]
    public double ErrorMax { get; init; } = 0.5;

    /// <summary>How much is added.</summary>
    [Option("So much more than the forecast is provided for, as a multiple of the error seen: 1 adds the mean error.",
        Min = 0, Max = 10, Source = "one mean error")]
    public double Headroom { get; init; } = 1;

    /// <summary>Only say, or act.</summary>
    [Option("Whether it acts on forecasts. Without, it only says what it would have done.",
        Source = "on: chosen by name. EC2's predictive scaling begins with forecasts only")]
    public bool Acts { get; init; } = true;
}

namespace Spillway.Policies.Retry;

/// <summary>How often, how soon and how much is tried again.</summary>
public sealed record RetryOptions
{
    /// <summary>Attempts of one request, the first one included.</summary>
    [Option("Attempts of one request, the first one included; 1 switches retries off.", Unit = "attempts",
        Min = 1, Max = 10, Source = "the AWS SDKs' standard mode")]
    public int AttemptsMax { get; init; } = 3;

    /// <summary>The first bound of the random wait.</summary>
    [Option("The wait before a second attempt is random between 0 and this; it doubles with each further one.",
        Unit = "ms", Min = 1, Max = 60_000, Source = "the AWS SDKs since 2026, for transient faults")]
    public double BaseMs { get; init; } = 50;

    /// <summary>The same after a throttled attempt.</summary>
    [Option("The same where the upstream said that it has enough to do (429, 503).", Unit = "ms",
        Min = 1, Max = 60_000, Source = "the AWS SDKs since 2026, for throttling")]
    public double ThrottledBaseMs { get; init; } = 1000;

    /// <summary>The last bound of the random wait.</summary>
    [Option("The bound of the random wait grows to this at most.", Unit = "ms", Min = 1, Max = 600_000,
        Source = "the AWS SDKs")]
    public double CapMs { get; init; } = 20_000;

    /// <summary>Retries as a part of recent successes.</summary>
    [Option("Retries and hedged copies may be this part of the successes of the last ten seconds, over all requests "
        + "to one group of targets.", Unit = "%", Min = 0, Max = 100,
        Source = "Finagle's RetryBudget and Envoy's retry_budget: 20 %")]
    public double BudgetPercent { get; init; } = 20;

    /// <summary>Retries that are always allowed.</summary>
    [Option("So many retries may be under way at once, and begin in a second, also where there were no successes: "
        + "else a quiet route could never try again. 0 for none.", Unit = "retries", Min = 0, Max = 100,
        Source = "Envoy's min_retry_concurrency")]
    public int BudgetFloor { get; init; } = 3;
}

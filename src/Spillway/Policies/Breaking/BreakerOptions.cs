namespace Spillway.Policies.Breaking;

/// <summary>When a target is left alone, and for how long.</summary>
public sealed record BreakerOptions
{
    /// <summary>The part of failed requests.</summary>
    [Option("A target is left alone when this part of the recent requests failed.", Unit = "%", Min = 1, Max = 100,
        Source = "half of them: what LiteLLM cools a deployment for")]
    public double FailurePercent { get; init; } = 50;

    /// <summary>Requests before the part means anything.</summary>
    [Option("The part is looked at from so many recent requests on.", Unit = "requests", Min = 1, Max = 10_000,
        Source = "with fewer, one unlucky request is a tenth of all")]
    public int RequestsMin { get; init; } = 10;

    /// <summary>What is recent.</summary>
    [Option("What counts as recent.", Unit = "ms", Min = 100, Max = 600_000,
        Source = "long enough for ten requests of a quiet route, short enough to forget the last deployment")]
    public double WindowMs { get; init; } = 10_000;

    /// <summary>Failures in a row.</summary>
    [Option("So many failures in a row (to connect, in time, or with an error) leave a target alone at once, whatever "
        + "the part: a target that died under load has a window full of successes, and a balancer that avoids it would "
        + "keep the part from ever being reached.",
        Unit = "requests", Min = 1, Max = 1000, Source = "Envoy's consecutive_5xx and consecutive_gateway_failure")]
    public int FailuresInRowMax { get; init; } = 5;

    /// <summary>The first time for which it is left alone.</summary>
    [Option("How long a target is left alone the first time; doubled each time that it fails its probes.",
        Unit = "ms", Min = 10, Max = 600_000, Source = "a restart of a process takes longer, a blip of a network less")]
    public double CoolMs { get; init; } = 250;

    /// <summary>The longest one.</summary>
    [Option("A target is left alone for no longer than this without being probed.", Unit = "ms",
        Min = 10, Max = 3_600_000,
        Source = "back in full within 2 s of its return: this, a probe, and room; a probe a second costs nothing")]
    public double CoolMaxMs { get; init; } = 1000;

    /// <summary>The longest Retry-After that is obeyed.</summary>
    [Option("An upstream's Retry-After is obeyed exactly, up to this.", Unit = "ms", Min = 0, Max = 86_400_000,
        Source = "a longer one is more likely a mistake than a wish")]
    public double RetryAfterMaxMs { get; init; } = 600_000;

    /// <summary>Requests that try a target out.</summary>
    [Option("So many requests that go well bring a target back; one tries it out first, then as many at once.",
        Unit = "requests", Min = 1, Max = 3, Source = "one may be luck; more would hurt a target that still ails")]
    public int Probes { get; init; } = 2;
}

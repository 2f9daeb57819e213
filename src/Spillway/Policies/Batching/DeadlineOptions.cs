namespace Spillway.Policies.Batching;

/// <summary>How long a request may take when its caller does not say.</summary>
public sealed record DeadlineOptions
{
    /// <summary>A fixed deadline; 0 derives it from learned times.</summary>
    [Option("A fixed default deadline. 0 derives it: factor times the learned time at the request's own size, at "
        + "least floorMs.",
        Unit = "ms", Min = 0, Max = 3_600_000)]
    public double FixedMs { get; init; }

    /// <summary>Multiple of the learned time.</summary>
    [Option("Multiple of the learned time at the request's own size.",
        Min = 1, Max = 1000, Source = "twice the wait of a half-full queue of two runners")]
    public double Factor { get; init; } = 5;

    /// <summary>Never less than this.</summary>
    [Option("The derived default deadline is never shorter.", Unit = "ms",
        Min = 1, Max = 3_600_000, Source = "what a person calls immediate")]
    public double FloorMs { get; init; } = 250;

    /// <summary>What a caller may ask for at most.</summary>
    [Option("The longest timeout that a caller may ask for; a longer one is cut to it.",
        Unit = "ms", Min = 1, Max = 86_400_000, Source = "no request is forgotten for longer than ten minutes")]
    public double MaxMs { get; init; } = 600_000;
}

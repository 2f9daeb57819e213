namespace Spillway.Policies.Scaling;

/// <summary>Ray Serve's autoscaling.</summary>
public sealed record RayServeOptions
{
    /// <summary>How many requests a replica should have.</summary>
    [Option("Requests of each replica, executing and waiting, that it aims at.", Unit = "requests",
        Min = 0.01, Max = 100_000, Source = "Ray Serve: target_ongoing_requests")]
    public double TargetOngoing { get; init; } = 2;

    /// <summary>Over which time requests are averaged.</summary>
    [Option("Over this time the requests are averaged.", Unit = "ms", Min = 100, Max = 3_600_000,
        Source = "Ray Serve: look_back_period_s, 30 s")]
    public double LookBackMs { get; init; } = 30_000;

    /// <summary>How long it must want more.</summary>
    [Option("So long it must want more in a row before there are more.", Unit = "ms", Min = 0, Max = 3_600_000,
        Source = "Ray Serve: upscale_delay_s, 30 s")]
    public double UpscaleDelayMs { get; init; } = 30_000;

    /// <summary>How long it must want fewer.</summary>
    [Option("So long it must want fewer in a row before there are fewer.", Unit = "ms", Min = 0, Max = 86_400_000,
        Source = "Ray Serve: downscale_delay_s, 600 s")]
    public double DownscaleDelayMs { get; init; } = 600_000;

    /// <summary>How long it must want none.</summary>
    [Option("So long it must want none in a row before the last replica goes; -1 for the delay of fewer.", Unit = "ms",
        Min = -1, Max = 86_400_000, Source = "Ray Serve: downscale_to_zero_delay_s, as downscale_delay_s")]
    public double DownscaleToZeroDelayMs { get; init; } = -1;

    /// <summary>How much of the way up it goes.</summary>
    [Option("The part of the way that it goes at a time when it grows.", Min = 0.01, Max = 10,
        Source = "Ray Serve: upscaling_factor")]
    public double UpscalingFactor { get; init; } = 1;

    /// <summary>How much of the way down it goes.</summary>
    [Option("The part of the way that it goes at a time when it shrinks.", Min = 0.01, Max = 10,
        Source = "Ray Serve: downscaling_factor")]
    public double DownscalingFactor { get; init; } = 1;

    /// <summary>How often it decides.</summary>
    [Option("How often it decides. Delays are counted in decisions, as Ray Serve does.", Unit = "ms",
        Min = 10, Max = 600_000, Source = "Ray Serve: its control loop of 0.1 s")]
    public double EveryMs { get; init; } = 100;
}

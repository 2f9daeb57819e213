using Spillway.Planner.Language;

namespace Spillway.Planner.Plans;

/// <summary>A language model that is served by continuous batching: its times follow from its shape and the
/// device.</summary>
public sealed record LanguageVariantOptions
{
    /// <summary>Which one.</summary>
    [Option("The model, by its name in the hardware files.", Required = true)]
    public string Model { get; init; } = "";

    /// <summary>How the engine serves it.</summary>
    [Option("How the engine serves it: parallelism, precision, limits of its scheduler.")]
    public LanguageServing Serving { get; init; } = new();

    /// <summary>What the engine makes of the device.</summary>
    [Option("What the engine makes of the device: the constants of the roofline.")]
    public EngineConstants Constants { get; init; } = new();

    /// <summary>A file of constants.</summary>
    [Option("A file of `plan calibrate`, relative to this one: its constants take the place of those above, and the "
        + "variant is labelled calibrated.")]
    public string ConstantsFile { get; init; } = "";
}

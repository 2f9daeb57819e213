namespace Spillway.Planner.Outcomes;

/// <summary>Where the time of a simulated request goes, in the order in which it meets them.</summary>
public enum PlanStage
{
    /// <summary>On the way to the site and back.</summary>
    Network,

    /// <summary>Work before the model: features, decoding.</summary>
    Io,

    /// <summary>Until there is a replica or an instance at all.</summary>
    ColdStart,

    /// <summary>Until its run begins.</summary>
    Queue,

    /// <summary>In a run, where a model answers in one piece.</summary>
    Execute,

    /// <summary>Until the first token.</summary>
    Prefill,

    /// <summary>From the first token to the last.</summary>
    Decode,
}

/// <summary>The names of stages.</summary>
public static class PlanStages
{
    /// <summary>All, in order.</summary>
    public static IReadOnlyList<PlanStage> All { get; } = Enum.GetValues<PlanStage>();

    /// <summary>As reports write it.</summary>
    public static string Name(this PlanStage stage) => stage switch
    {
        PlanStage.Network => "network",
        PlanStage.Io => "i/o",
        PlanStage.ColdStart => "cold start",
        PlanStage.Queue => "queue",
        PlanStage.Execute => "execute",
        PlanStage.Prefill => "prefill",
        PlanStage.Decode => "decode",
    };
}

namespace Spillway.Telemetry;

/// <summary>Stages as they are named in headers, metrics and records.</summary>
public static class StageNames
{
    /// <summary>Every stage in the order of a request's life.</summary>
    public static IReadOnlyList<Stage> All { get; } = Enum.GetValues<Stage>();

    /// <summary>The name: the stage in lower case.</summary>
    public static string Name(this Stage stage) => stage switch
    {
        Stage.Receive => "receive",
        Stage.Parse => "parse",
        Stage.Gate => "gate",
        Stage.Cache => "cache",
        Stage.Queue => "queue",
        Stage.Batch => "batch",
        Stage.Execute => "execute",
        Stage.Output => "output",
        Stage.Write => "write",
    };
}

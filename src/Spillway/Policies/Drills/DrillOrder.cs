using System.Globalization;

namespace Spillway.Policies.Drills;

/// <summary>What is broken, with every name resolved. Immutable.</summary>
/// <param name="Kind">What.</param>
/// <param name="Served">The served name whose callers are to notice.</param>
internal sealed record DrillOrder(DrillKind Kind, string Served)
{
    /// <summary>With Steps: one bit for each step that fails.</summary>
    public ulong Steps { get; init; }

    /// <summary>With Steps: their names, for people.</summary>
    public IReadOnlyList<string> StepNames { get; init; } = [];

    /// <summary>With Steps: how many may fail, so that one is left.</summary>
    public int StepsMax { get; init; }

    /// <summary>With a target: the upstream.</summary>
    public string Upstream { get; init; } = "";

    /// <summary>With a target: which; empty for all of them.</summary>
    public string Target { get; init; } = "";

    /// <summary>With Replica: the deployment.</summary>
    public string Deployment { get; init; } = "";

    /// <summary>With TargetSlow: by how much.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>With TargetThrottled: what the target asks to wait.</summary>
    public TimeSpan RetryAfter { get; init; }

    /// <summary>Whether a step fails.</summary>
    public bool Breaks(int step) => step < 64 && (Steps >> step & 1) != 0;

    /// <summary>Whether a target is meant.</summary>
    public bool Means(string upstream, string target) =>
        upstream == Upstream && (Target.Length == 0 || target == Target);

    /// <summary>As half a sentence: "the step line-ocr of line-ocr-resilient fails".</summary>
    public string Text => Kind switch
    {
        DrillKind.Steps => $"{(StepNames.Count == 1 ? "the step" : "the steps")} {string.Join(", ", StepNames)} of "
            + $"{Served} {(StepNames.Count == 1 ? "fails" : "fail")}",
        DrillKind.TargetDead => $"{Which} takes no connection",
        DrillKind.TargetSlow => string.Create(
            CultureInfo.InvariantCulture, $"{Which} answers {Delay.TotalMilliseconds:0} ms later"),
        DrillKind.TargetThrottled => string.Create(
            CultureInfo.InvariantCulture, $"{Which} answers 429, Retry-After {RetryAfter.TotalSeconds:0.###} s"),
        DrillKind.Replica => $"every run of one replica of {Deployment} fails",
        DrillKind.Spike => $"ten times the traffic comes to {Served}",
        DrillKind.Cache => $"the remembered answers of {Served} were forgotten",
        DrillKind.Disk => "nothing can be written to the disk",
    };

    private string Which => Target.Length == 0 ? $"every target of {Upstream}" : $"the target {Upstream}/{Target}";
}

namespace Spillway.Planner.Diagnosis;

/// <summary>What kind of sentence it is.</summary>
public enum DiagnosisKind
{
    /// <summary>What is saturated, or takes most of the time.</summary>
    Bottleneck,

    /// <summary>The figures that say so.</summary>
    Evidence,

    /// <summary>What it means.</summary>
    Meaning,

    /// <summary>What follows by the laws of queues, whether anybody measured it or not.</summary>
    Consequence,

    /// <summary>Figures that cannot all be right, or that rest on something that is not said.</summary>
    Contradiction,

    /// <summary>What to do, and what it would bring.</summary>
    Step,

    /// <summary>What would not help.</summary>
    NoUse,
}

/// <summary>A sentence of a diagnosis.</summary>
/// <param name="Kind">Which kind.</param>
/// <param name="Text">The sentence.</param>
public sealed record DiagnosisLine(DiagnosisKind Kind, string Text)
{
    /// <summary>Of a step: the mean time of a request after it, in milliseconds; NaN where it cannot be told.</summary>
    public double AfterMs { get; init; } = double.NaN;
}

/// <summary>A diagnosis.</summary>
/// <param name="Bottleneck">The resource or the part of the time, in a word; empty where there is none.</param>
/// <param name="Lines">In the order to read them.</param>
public sealed record DiagnosisReport(string Bottleneck, IReadOnlyList<DiagnosisLine> Lines)
{
    /// <summary>The sentences of one kind.</summary>
    public IEnumerable<DiagnosisLine> Of(DiagnosisKind kind) => Lines.Where(line => line.Kind == kind);
}

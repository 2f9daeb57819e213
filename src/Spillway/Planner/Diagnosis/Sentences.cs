namespace Spillway.Planner.Diagnosis;

/// <summary>Collects the sentences of a diagnosis.</summary>
internal sealed class Sentences
{
    private readonly List<DiagnosisLine> _lines = [];

    /// <summary>In the order of the kinds, and within one as they were said.</summary>
    public IReadOnlyList<DiagnosisLine> Lines => [.. _lines.OrderBy(line => line.Kind)];

    /// <summary>A part as a person writes it.</summary>
    public static string Percent(double part) => InvariantText.Of($"{part:0.# %}");

    /// <summary>Adds a sentence.</summary>
    public void Say(DiagnosisKind kind, InvariantText text, double afterMs = double.NaN) =>
        _lines.Add(new(kind, text.Take()) { AfterMs = afterMs });
}

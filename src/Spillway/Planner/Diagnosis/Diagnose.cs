namespace Spillway.Planner.Diagnosis;

/// <summary>
/// Says from few figures what is saturated, what that means, what follows from it whether it was measured or not, what
/// in the figures cannot be right, and what each step would bring. Pure.
/// </summary>
/// <remarks>
/// The operational laws need no assumption about distributions: utilisation law U = X D, Little's law N = X R (P.
/// Denning, J. Buzen, 1978). What a step brings does need one; it is named in each sentence.
/// </remarks>
public static class Diagnose
{
    /// <summary>How far parts may be from their sum before it is said: rounding of a person's figures.</summary>
    internal const double SumTolerance = 0.02;

    /// <summary>Diagnoses; a fault where the figures say nothing or are none.</summary>
    /// <param name="figures">What is known.</param>
    public static Outcome<DiagnosisReport> From(DiagnosisFigures figures)
    {
        if (Wrong(figures) is { } fault)
            return fault;
        var say = new Sentences();
        var bottleneck = "";
        if (figures.Stages.Count > 0)
            bottleneck = new StageDiagnosis(figures, say).Run();
        if (figures.Busy.Count > 0)
            bottleneck = new BusyDiagnosis(figures, say).Run() is { Length: > 0 } busy ? busy : bottleneck;
        new SystemDiagnosis(figures, say).Run();
        return new DiagnosisReport(bottleneck, say.Lines);
    }

    private static Fault? Wrong(DiagnosisFigures figures) =>
        Nothing(figures) ?? OutOfRange(figures) ?? UnknownThen(figures)
            ?? Positive("latency", figures.LatencyMs) ?? Positive("throughput", figures.Throughput)
            ?? Whole("servers", figures.Servers) ?? Positive("capacity", figures.Capacity)
            ?? Positive("concurrency", figures.Concurrency) ?? Positive("cost", figures.CostPerMonth);

    private static Fault? Nothing(DiagnosisFigures figures) =>
        figures.Busy.Count > 0 || figures.Stages.Count > 0
            || !(double.IsNaN(figures.Throughput) || double.IsNaN(figures.Capacity)) ? null
            : Fault.Invalid("Nothing to diagnose: give how busy resources are (--gpu 95 --network 20), the parts of a "
                + "request's time (--stages network=40,queue=180,prefill=60), or a load and what servers can do "
                + "(--throughput 200 --servers 2 --capacity 100).");

    private static Fault? OutOfRange(DiagnosisFigures figures)
    {
        foreach (var (name, value) in figures.Busy)
        {
            if (!(value is >= 0 and <= 1))
                return Invalid(name, value * 100, "%, and a resource is busy between 0 and 100 % of the time");
        }

        foreach (var (name, value) in figures.Stages.Concat(figures.Then))
        {
            if (!(value >= 0) || double.IsInfinity(value))
                return Invalid(name, value, "ms, and a part of a request's time is 0 or more");
        }

        return null;
    }

    private static Fault? UnknownThen(DiagnosisFigures figures)
    {
        foreach (var (name, _) in figures.Then)
        {
            if (figures.Stages.All(stage => stage.Name != name))
                return Fault.Invalid($"--then names '{name}', which is no part of --stages. Known: "
                    + $"{string.Join(", ", figures.Stages.Select(stage => stage.Name).Distinct())}.");
        }

        return null;
    }

    private static Fault? Positive(string name, double value) => double.IsNaN(value) || value is > 0 and < 1e15
        ? null : Invalid(name, value, "; it must be above 0");

    // Erlang's recursion takes a step for each server.
    private static Fault? Whole(string name, double value) => double.IsNaN(value)
        || (value is >= 1 and <= 100_000 && value == Math.Floor(value))
        ? null : Invalid(name, value, "; it must be a whole number from 1 to 100,000");

    private static Fault Invalid(string name, double value, string why) => Fault.Invalid(
        InvariantText.Of($"{name} is {value:0.###} {why}. Correct it."));
}

using System.Runtime.CompilerServices;
using Spillway.Planner.Answers;
using Spillway.Planner.Plans;

namespace Spillway.App.Cli.Planning;

/// <summary>Closed formulas as text: alone, and beside a simulation.</summary>
internal static class QuickView
{
    /// <summary>Every candidate by formulas.</summary>
    public static void Write(TextWriter output, Plan plan)
    {
        output.WriteLine($"{plan.Options.Name}: closed formulas, nothing is simulated");
        foreach (var candidate in plan.Candidates)
        {
            output.WriteLine();
            output.WriteLine(candidate.Name);
            Sites(output, QuickAnswer.Of(plan, candidate, simulated: null));
        }
    }

    /// <summary>Under the details of a simulated candidate.</summary>
    public static void Beside(TextWriter output, QuickAnswer quick)
    {
        output.WriteLine("  By closed formulas:");
        Sites(output, quick);
    }

    private static void Sites(TextWriter output, QuickAnswer quick)
    {
        foreach (var site in quick.Sites)
        {
            var use = site.Utilisation is { } part ? Say($"{part * 100:0} % used ({site.PeakUtilisation * 100:0} % "
                + $"at its peak), ") : "";
            var times = double.IsFinite(site.MeanMs)
                ? $"wait {Figures.Ms(site.WaitMs)}, mean {Figures.Ms(site.MeanMs)}"
                    + (site.P95Ms is { } p95 ? $", p95 {Figures.Ms(p95)}" : "")
                : "no steady state";
            output.WriteLine($"    {site.Site}: {use}{times}; {site.Formula}");
        }

        foreach (var warning in quick.Warnings)
        {
            foreach (var line in TerminalText.Wrap($"! {warning}", 112))
                output.WriteLine($"    {line}");
        }
    }

    /// <summary>The process has no culture but the invariant one.</summary>
    private static string Say(ref DefaultInterpolatedStringHandler text) => text.ToStringAndClear();
}

using Spillway.Planner.Fleet;
using Spillway.Planner.Plans;

namespace Spillway.Planner.Answers;

/// <summary>
/// What a request of median size takes with a replica all to itself, on the fastest of the candidate's machines: the
/// floor that no number of replicas lowers. Infinite where no machine of the candidate says, so that a smaller figure
/// of the simulation stands.
/// </summary>
/// <param name="ExecuteMs">A run of one row, in milliseconds.</param>
/// <param name="PrefillMs">Until the first token, in milliseconds.</param>
/// <param name="DecodeMs">From the first token to the last, in milliseconds.</param>
/// <param name="TokenMs">Of each further token, in milliseconds.</param>
internal readonly record struct AloneTimes(double ExecuteMs, double PrefillMs, double DecodeMs, double TokenMs)
{
    private static AloneTimes Unknown => new(double.PositiveInfinity, double.PositiveInfinity, double.PositiveInfinity,
        double.PositiveInfinity);

    /// <summary>Of a candidate that can be built.</summary>
    public static AloneTimes Of(Plan plan, CandidateOptions candidate)
    {
        if (Pipelines.IsOne(plan, candidate))
            return Pipelines.Steps(plan, candidate).Select(s => Of(plan, Pipelines.Part(candidate, s)))
                .Aggregate((a, b) => new(Sum(a.ExecuteMs, b.ExecuteMs), Sum(a.PrefillMs, b.PrefillMs),
                    Sum(a.DecodeMs, b.DecodeMs), Math.Min(a.TokenMs, b.TokenMs)));
        var variant = plan.Options.Variants[candidate.Variant];
        var least = Unknown;
        foreach (var place in candidate.Sites.Values.Where(p => p.Machine.Length > 0))
        {
            if (variant.Language is { } language)
            {
                var (prefill, token, tokens) = LanguageFleet.Alone(plan, language, place.Machine);
                least = new(least.ExecuteMs, Math.Min(least.PrefillMs, prefill * 1e3),
                    Math.Min(least.DecodeMs, token * (tokens - 1) * 1e3), Math.Min(least.TokenMs, token * 1e3));
                continue;
            }

            var run = BatchPoint.TicksAt(Capacity.CurveOf(variant, place.Machine), 1) / TimeSpan.TicksPerMillisecond
                * Capacity.MedianSize(plan) * (1 - variant.SpreadOfRuns);
            least = least with { ExecuteMs = Math.Min(least.ExecuteMs, run) };
        }

        return least;
    }

    /// <summary>Of two steps, of which one may have no such part.</summary>
    private static double Sum(double a, double b) =>
        double.IsInfinity(a) ? b : double.IsInfinity(b) ? a : a + b;

    /// <summary>Of a stage by its name; infinite for one that has nothing to do with sharing.</summary>
    public double MsOf(string stage) => stage switch
    {
        "execute" => ExecuteMs,
        "prefill" => PrefillMs,
        "decode" => DecodeMs,
        _ => double.PositiveInfinity,
    };
}

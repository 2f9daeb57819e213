using Spillway.Policies.Chains;
using Spillway.Policies.Rollout;

namespace Spillway.Config;

/// <summary>Rules of `routes.&lt;name&gt;.rollout` that concern more than the form of one value.</summary>
internal static class RolloutChecks
{
    /// <summary>Reports what they break.</summary>
    /// <param name="options">The root file.</param>
    /// <param name="served">Names that models of the configuration are served under.</param>
    /// <param name="bound">Where errors go.</param>
    public static void Check(SpillwayOptions options, IReadOnlySet<string> served, OptionBinder bound)
    {
        foreach (var (name, route) in options.Routes)
        {
            if (route.Rollout is { } rollout)
                Check($"routes.{name}.rollout", route.Chain, rollout, options, served, bound);
        }
    }

    private static void Check(
        string path, ChainOptions chain, RolloutOptions rollout, SpillwayOptions options, IReadOnlySet<string> served,
        OptionBinder bound)
    {
        if (chain.Steps.Count > 0 && chain.Steps[0].Kind is not ChainStepKind.Model)
        {
            bound.Report(path, "", "The first step of the chain is no model, so nothing can take its place.",
                "Begin the chain with a step of a model, or leave the rollout out.");
        }

        if (!bound.Failed($"{path}.stepsPercent") && RolloutPolicy.Check(rollout) is { } wrong)
        {
            // "stepsPercent is empty. Name at least one …": what is wrong, then what to do.
            var end = wrong.IndexOf(". ", StringComparison.Ordinal);
            bound.Report($"{path}.stepsPercent", bound.Written($"{path}.stepsPercent"), wrong[..(end + 1)],
                wrong[(end + 2)..]);
        }

        if (rollout.Challenger.Length > 0)
            Challenger($"{path}.challenger", chain, rollout.Challenger, options, served, bound);
    }

    private static void Challenger(
        string key, ChainOptions chain, string challenger, SpillwayOptions options, IReadOnlySet<string> served,
        OptionBinder bound)
    {
        if (options.Routes.ContainsKey(challenger))
        {
            bound.Report(key, challenger, "It is a route, which has a chain of its own.",
                "Name the model or the upstream that is to take over.");
        }
        // A repository's models come and go while the server runs, so any name may be one of them.
        else if (options.Repository is null && !served.Contains(challenger)
            && !options.Upstreams.ContainsKey(challenger))
        {
            string[] known = [.. served.Where(n => !n.Contains('/', StringComparison.Ordinal)), .. options.Upstreams.Keys];
            bound.Report(key, challenger, "No model and no upstream has that name.",
                $"Known: {string.Join(", ", known.Order(StringComparer.Ordinal).Take(10))}.",
                Suggestion.Nearest(challenger, known));
        }
        else if (chain.Steps.Count > 0 && chain.Steps[0].Model == challenger)
        {
            // What was promoted may be declared as the first step afterwards, and the section be left.
            bound.Report(key, challenger, "It is the first step's model already: nothing would change.",
                "Name another one, or leave challenger out; `spillway rollout start --challenger` says it too.");
        }
    }
}

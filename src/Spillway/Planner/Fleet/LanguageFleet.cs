using Spillway.Planner.Language;
using Spillway.Planner.Plans;

namespace Spillway.Planner.Fleet;

/// <summary>What follows from a language model on a machine, at the mean lengths of the workloads.</summary>
internal static class LanguageFleet
{
    /// <summary>How long a step takes there.</summary>
    public static Roofline RooflineOf(Plan plan, LanguageVariantOptions language, MachineOptions machine) =>
        new(plan.Models[language.Model], plan.Devices[machine.Gpu], language.Serving, language.Constants);

    /// <summary>How many tokens fit there, or why the model does not.</summary>
    public static Outcome<KvMemory> Memory(Plan plan, LanguageVariantOptions language, MachineOptions machine) =>
        KvMemory.Of(plan.Models[language.Model], plan.Devices[machine.Gpu], language.Serving);

    /// <summary>Requests a second that a replica with all of its places taken answers.</summary>
    public static double PerReplica(Plan plan, LanguageVariantOptions language, string machine)
    {
        var (read, written) = Lengths(plan);
        var memory = Memory(plan, language, plan.Machines[machine]).Value;
        var most = Math.Max(1, Math.Min(language.Serving.SequencesMax, memory.Tokens / (read + (written / 2))));
        return most / SecondsWith(plan, language, machine, most);
    }

    /// <summary>
    /// Seconds of a request at so many a second: the requests at once are the rate times their time (Little), and their
    /// time follows from how many share a step; a few rounds find both.
    /// </summary>
    public static double SecondsAt(Plan plan, LanguageVariantOptions language, string machine, double rate)
    {
        var atOnce = 1.0;
        for (var round = 0; round < 40; round++)
            atOnce = (atOnce + Math.Clamp(rate * SecondsWith(plan, language, machine, atOnce), 1, 100_000)) / 2;
        return SecondsWith(plan, language, machine, atOnce);
    }

    /// <summary>
    /// Seconds of a request while so many are under way: in its time each of the others brings its own prompt as well,
    /// in pieces that share the steps.
    /// </summary>
    private static double SecondsWith(Plan plan, LanguageVariantOptions language, string machine, double atOnce)
    {
        var (read, written) = Lengths(plan);
        var roofline = RooflineOf(plan, language, plan.Machines[machine]);
        // Of each step's tokens, as many are of prompts as prompts are of all tokens.
        var prompt = atOnce * read / written;
        var pairs = prompt * (read / 2);
        var step = roofline.Seconds(new(atOnce + prompt, (int)Math.Ceiling(atOnce), (int)Math.Ceiling(atOnce),
            atOnce * (read + (written / 2)), pairs));
        return step * (written + Math.Ceiling(read / language.Serving.BatchedTokensMax));
    }

    private static (double Read, double Written) Lengths(Plan plan)
    {
        var (read, written, count) = (0.0, 0.0, 0.0);
        foreach (var workload in plan.Options.Workloads)
        {
            plan.Traces.TryGetValue(workload.Name, out var trace);
            read += trace?.TokensIn?.Average() ?? workload.TokensIn?.Mean ?? 1;
            written += trace?.TokensOut?.Average() ?? workload.TokensOut?.Mean ?? 1;
            count++;
        }

        return (read / count, Math.Max(1, written / count));
    }
}

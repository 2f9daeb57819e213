using Spillway.Planner.Language;
using Spillway.Planner.Plans;
using Spillway.Planner.Workloads;

namespace Spillway.Planner.Fleet;

/// <summary>What tokens take of a replica with all of its places taken.</summary>
/// <param name="Prompt">Seconds for one that is read.</param>
/// <param name="Answer">Seconds for one that is written after the first, which comes with the prompt.</param>
internal readonly record struct TokenSeconds(double Prompt, double Answer);

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
        var (lengths, most) = (Lengths(plan), PlacesOf(plan, language, machine));
        return most / SecondsWith(RooflineOf(plan, language, plan.Machines[machine]), language, lengths, most);
    }

    /// <summary>
    /// What tokens take of a replica with all of its places taken: those of a request of mean lengths together the time
    /// between two answers, so that a replica which answers <see cref="PerReplica"/> is used to the full.
    /// </summary>
    public static TokenSeconds EachToken(Plan plan, LanguageVariantOptions language, string machine)
    {
        var (lengths, most) = (Lengths(plan), PlacesOf(plan, language, machine));
        var roofline = RooflineOf(plan, language, plan.Machines[machine]);
        var prompts = most * lengths.Read / lengths.Written;
        var alone = roofline.Seconds(StepOf(lengths, most, prompts: 0));
        // A piece of a prompt makes a step longer; the rest of the step is for the answers that share it.
        var prompt = Math.Max(0, roofline.Seconds(StepOf(lengths, most, prompts)) - alone) / prompts;
        var answer = alone / most;
        var whole = (lengths.Read * prompt) + ((lengths.Written - 1) * answer);
        var due = 1 / PerReplica(plan, language, machine);
        return whole <= 0 ? new(due / lengths.Read, 0) : new(prompt * due / whole, answer * due / whole);
    }

    /// <summary>
    /// Seconds of a request at so many a second: the requests at once are the rate times their time (Little), and their
    /// time follows from how many share a step; a few rounds find both.
    /// </summary>
    public static double SecondsAt(Plan plan, LanguageVariantOptions language, string machine, double rate)
    {
        var lengths = Lengths(plan);
        var roofline = RooflineOf(plan, language, plan.Machines[machine]);
        var atOnce = 1.0;
        for (var round = 0; round < 40; round++)
        {
            var seconds = SecondsWith(roofline, language, lengths, atOnce);
            atOnce = (atOnce + Math.Clamp(rate * seconds, 1, 100_000)) / 2;
        }

        return SecondsWith(roofline, language, lengths, atOnce);
    }

    /// <summary>Seconds until the first token and of each further one, and the tokens, of a request of median length
    /// that has a replica to itself.</summary>
    public static (double Prefill, double Token, double Tokens) Alone(
        Plan plan, LanguageVariantOptions language, string machine)
    {
        var read = Math.Max(1, Demand.Weighted(plan, (w, t) => Demand.Median(w.TokensIn, t?.TokensIn)));
        var written = Math.Max(1, Demand.Weighted(plan, (w, t) => Demand.Median(w.TokensOut, t?.TokensOut)));
        var roofline = RooflineOf(plan, language, plan.Machines[machine]);
        return (roofline.Seconds(StepWork.Prefill(read)), roofline.Seconds(StepWork.Decode(1, read)), written);
    }

    /// <summary>
    /// Seconds of a request while so many are under way: in its time each of the others brings its own prompt as well,
    /// in pieces that share the steps.
    /// </summary>
    private static double SecondsWith(Roofline roofline, LanguageVariantOptions language,
        (double Read, double Written) lengths, double atOnce)
    {
        var (read, written) = lengths;
        // Of each step's tokens, as many are of prompts as prompts are of all tokens.
        var step = roofline.Seconds(StepOf(lengths, atOnce, prompts: atOnce * read / written));
        return step * (written + Math.Ceiling(read / language.Serving.BatchedTokensMax));
    }

    /// <summary>A step of so many requests, with so many tokens of the prompts of others in it.</summary>
    private static StepWork StepOf((double Read, double Written) lengths, double atOnce, double prompts) => new(
        atOnce + prompts, (int)Math.Ceiling(atOnce), (int)Math.Ceiling(atOnce),
        atOnce * (lengths.Read + (lengths.Written / 2)), prompts * (lengths.Read / 2));

    /// <summary>How many requests of mean lengths a replica has at once.</summary>
    private static double PlacesOf(Plan plan, LanguageVariantOptions language, string machine)
    {
        var (lengths, memory) = (Lengths(plan), Memory(plan, language, plan.Machines[machine]).Value);
        return Math.Max(1, Math.Min(language.Serving.SequencesMax,
            memory.Tokens / (lengths.Read + (lengths.Written / 2))));
    }

    private static (double Read, double Written) Lengths(Plan plan) => (
        Demand.Weighted(plan, (w, t) => t?.TokensIn?.Average() ?? w.TokensIn?.Mean ?? 1),
        Math.Max(1, Demand.Weighted(plan, (w, t) => t?.TokensOut?.Average() ?? w.TokensOut?.Mean ?? 1)));
}

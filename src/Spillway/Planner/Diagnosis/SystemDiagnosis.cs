using Spillway.Planner.Economics;
using Spillway.Planner.Queueing;

namespace Spillway.Planner.Diagnosis;

/// <summary>
/// From a load, a number of servers and what each can do: is there room, and can the figures be right together.
/// </summary>
/// <param name="figures">What is known.</param>
/// <param name="say">Where the sentences go.</param>
internal sealed class SystemDiagnosis(DiagnosisFigures figures, Sentences say)
{
    private static readonly StageKind[] s_works = [StageKind.Prefill, StageKind.Decode, StageKind.Execute];

    /// <summary>Says it.</summary>
    public void Run()
    {
        Load();
        Places();
        Cost();
    }

    private void Load()
    {
        var (x, servers, each) = (figures.Throughput, figures.Servers, figures.Capacity);
        if (double.IsNaN(x) || double.IsNaN(servers) || double.IsNaN(each))
            return;
        var busy = x / (servers * each);
        if (busy >= 1)
            say.Say(DiagnosisKind.Contradiction, $"{x:0.#} a second on {servers:0} servers of {each:0.#} are "
                + $"{busy:P0} of what they can do: there is no steady state, so no mean latency. The load is a little "
                + $"below, or capacity a little above, or what was measured is the moment at which it fell behind.");
        else
            say.Say(DiagnosisKind.Consequence, $"{servers:0} servers of {each:0.#} a second are {busy:P0} busy at "
                + $"{x:0.#} a second; random arrivals wait "
                + $"{WaitingTimes.Exponential(x, 1 / each, (int)servers).MeanWait * 1e3:0.#} ms "
                + $"(M/M/{servers:0}).");
    }

    // Parts of a request's time that are work on a device, at this rate on each: how many must be worked on at once.
    private void Places()
    {
        if (figures.Stages.Count == 0 || double.IsNaN(figures.Capacity))
            return;
        var work = figures.Stages.Where(stage => s_works.Contains(StageKinds.Of(stage.Name))).Sum(stage => stage.Value);
        var together = figures.Capacity * work / 1e3;
        if (together > 1.5)
            say.Say(DiagnosisKind.Consequence, $"{figures.Capacity:0.#} a second on a server that works {work:0.#} "
                + $"ms on each are {together:0.#} at once (Little's law): it must batch them, because one after "
                + $"another it does {1e3 / work:0.#} a second.");
    }

    private void Cost()
    {
        if (double.IsNaN(figures.CostPerMonth))
            return;
        var rate = !double.IsNaN(figures.Throughput) ? figures.Throughput : figures.Servers * figures.Capacity;
        if (double.IsNaN(rate))
            return;
        var curve = CostCurve.PerMonth(figures.CostPerMonth, rate);
        say.Say(DiagnosisKind.Consequence, $"{figures.CostPerMonth:0} a month are {curve.PerThousand(1):0.####} for "
            + $"a thousand at {rate:0.#} a second all day, {curve.PerThousand(0.5):0.####} at half of it: the price of "
            + $"an answer depends on how much is asked.");
    }
}

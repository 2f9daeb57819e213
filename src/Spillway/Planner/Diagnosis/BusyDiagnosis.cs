using Spillway.Planner.Queueing;

namespace Spillway.Planner.Diagnosis;

/// <summary>From how busy resources are: the utilisation law, Little's law, and what relief would bring.</summary>
/// <param name="figures">What is known.</param>
/// <param name="say">Where the sentences go.</param>
internal sealed class BusyDiagnosis(DiagnosisFigures figures, Sentences say)
{
    // Waiting is U / (1 - U) service times: 2.3 at 70 %, 4 at 80 %, 19 at 95 %.
    private const double Saturated = 0.8;
    private const double Idle = 0.4;
    private const double Comfortable = 0.7;

    /// <summary>The word for what is saturated; empty where nothing is.</summary>
    public string Run()
    {
        var rates = figures.Busy.Where(f => !IsSpace(f.Name)).OrderByDescending(f => f.Value).ToList();
        Space();
        if (rates.Count == 0)
            return "";
        var top = rates[0];
        var others = string.Join(", ", figures.Busy.Where(f => f != top).Select(f => $"{f.Name} {Percent(f.Value)}"));
        if (top.Value < Idle)
        {
            Right(top);
            return "";
        }

        if (top.Value >= Saturated)
            say.Say(DiagnosisKind.Bottleneck, $"{top.Name} is the bottleneck: busy {Percent(top.Value)} of the time.");
        else
            say.Say(DiagnosisKind.Bottleneck,
                $"nothing is saturated; {top.Name} is the busiest at {Percent(top.Value)} and would be first.");
        if (others.Length > 0)
            say.Say(DiagnosisKind.Evidence, $"{top.Name} {Percent(top.Value)}, against {others}.");
        say.Say(DiagnosisKind.Meaning, $"{MeaningOf(top.Name)}");
        Laws(top);
        Steps(top, [.. rates.Skip(1)]);
        return top.Value >= Saturated ? top.Name : "";
    }

    private static bool IsSpace(string name) => name is "memory" or "vram" or "ram" or "gpu-memory";

    private static string Percent(double part) => Sentences.Percent(part);

    private static string MeaningOf(string name) => name switch
    {
        "gpu" or "accelerator" => "The accelerator cannot take more: a smaller or quantised model, larger batches "
            + "where it is not yet at its best batch, a faster device, or one more of them. A GPU's utilisation says "
            + "that it runs something, not that it computes all it could: whether arithmetic or memory bandwidth "
            + "bounds it, a profile tells.",
        "cpu" => "The processors cannot take more: find what they do (tokenising, decoding pictures, copying), move "
            + "it off the path or add cores.",
        "network" => "Bytes are the limit: send smaller pictures or binary tensors in place of JSON, compress, or "
            + "put sites nearer to users.",
        "bandwidth" => "Reading memory is the limit, as in generating text: fewer bits for each weight, larger "
            + "batches, or a device with more bandwidth. More arithmetic does nothing.",
        "runners" => "Every runner of the model works: more replicas or larger batches where processors are idle, "
            + "else a faster machine or a smaller model.",
        "disk" => "The disk is the limit: keep what is read in memory, or read it once.",
        _ => "It cannot take more: give it less to do for each request, or have more of it.",
    };

    private void Space()
    {
        foreach (var (name, value) in figures.Busy.Where(f => IsSpace(f.Name)))
        {
            if (value >= 0.95)
                say.Say(DiagnosisKind.Consequence, $"{name} is {Percent(value)} full: a larger batch or a second "
                    + $"model will not fit, and a language model's cache pushes requests out.");
            else
                say.Say(DiagnosisKind.Evidence, $"{name} is {Percent(value)} full. That is space, not time: it does "
                    + $"not slow anything down, and leaves room for batches {1 / value:0.#} times as large at most.");
        }
    }

    private void Right(NamedFigure top)
    {
        say.Say(DiagnosisKind.Bottleneck, $"nothing is busy: {top.Name}, the busiest, is idle "
            + $"{Percent(1 - top.Value)} of the time.");
        say.Say(DiagnosisKind.Meaning, $"Capacity is paid for and not used, or something that is not in these "
            + $"figures is waited for: a lock, an upstream, a database.");
        var keep = top.Value / Comfortable;
        say.Say(DiagnosisKind.Step, $"Right-size: {keep:P0} of the capacity would run at {Comfortable:P0}, so "
            + $"{1 - keep:P0} of the cost can go{Money(1 - keep)}; keep what a burst or the loss of a server needs.");
    }

    private string Money(double part) => double.IsNaN(figures.CostPerMonth) ? "" : InvariantText.Of($", "
        + $"{figures.CostPerMonth * part:0} a month");

    private void Laws(NamedFigure top)
    {
        var (x, r) = (figures.Throughput, figures.LatencyMs);
        if (!double.IsNaN(x))
        {
            var each = top.Value / x * 1e3;
            var cap = x / top.Value;
            say.Say(DiagnosisKind.Consequence, $"Utilisation law: {Percent(top.Value)} at {x:0.#} a second is "
                + $"{each:0.##} ms of {top.Name} for each answer, so {cap:0.#} a second is the most, "
                + $"{(cap / x) - 1:P1} above today.");
        }

        if (double.IsNaN(x) || double.IsNaN(r))
            return;
        var inSystem = Little.InSystem(x, r / 1e3);
        var demand = figures.Busy.Where(f => !IsSpace(f.Name)).Sum(f => f.Value) / x * 1e3;
        say.Say(DiagnosisKind.Consequence, $"Little's law: {x:0.#} a second for {r:0.#} ms are {inSystem:0.#} "
            + $"requests in the system at once.");
        if (demand < r)
            say.Say(DiagnosisKind.Consequence, $"All busy resources together work {demand:0.#} ms for an answer; "
                + $"{r - demand:0.#} of its {r:0.#} ms ({(r - demand) / r:P0}) are waiting, or runs of a whole batch "
                + $"shared by its requests.");
        else
            say.Say(DiagnosisKind.Contradiction, $"Resources work {demand:0.#} ms for each answer, which takes only "
                + $"{r:0.#} ms: they work side by side for one request, there are several of each, or a figure is "
                + $"wrong.");
        Random(top, inSystem);
        if (!double.IsNaN(figures.Concurrency) && Math.Abs(figures.Concurrency - inSystem) > 0.1 * inSystem)
            say.Say(DiagnosisKind.Contradiction, $"{figures.Concurrency:0.#} at once were given, and Little's law "
                + $"says {inSystem:0.#}: throughput, latency and concurrency are not of the same time or not of the "
                + $"same requests.");
    }

    private void Random(NamedFigure top, double inSystem)
    {
        if (top.Value >= 1)
        {
            say.Say(DiagnosisKind.Contradiction, $"{top.Name} at {Percent(top.Value)} has no steady state: the "
                + $"queue, and with it the latency, grows for as long as that lasts; a mean of it depends on when one "
                + $"stopped measuring.");
            return;
        }

        var expected = top.Value / (1 - top.Value);
        if (inSystem > 1.5 * expected)
            say.Say(DiagnosisKind.Consequence, $"Random arrivals at {Percent(top.Value)} would keep {expected:0.#} "
                + $"in the system (M/M/1), not {inSystem:0.#}: they come in bursts, run in batches, or wait elsewhere "
                + $"as well.");
    }

    private void Steps(NamedFigure top, List<NamedFigure> rest)
    {
        var halved = top.Value / 2;
        var next = rest.FirstOrDefault();
        var (after, two) = After(top.Value, halved);
        say.Say(DiagnosisKind.Step, $"Halve the work of {top.Name} for each answer (quantise, a device twice as "
            + $"fast): it falls to {Percent(halved)}{InPlace(after)} at the same load, if waiting is that of a "
            + $"queue (Kingman).", after);
        say.Say(DiagnosisKind.Step, $"Or have two of {top.Name}: each falls to {Percent(halved)}{InPlace(two)} at the "
            + $"same load, if waiting is that of one queue for both (M/M/2).", two);
        if (!double.IsNaN(figures.Throughput) && top.Value > 0)
        {
            var cap = figures.Throughput / Math.Max(halved, next.Value);
            say.Say(DiagnosisKind.Step, $"It then does up to {cap:0.#} a second, where "
                + $"{(next.Value > halved ? next.Name : top.Name)} is the next limit.");
        }

        foreach (var other in rest.Where(f => f.Value < Saturated))
            say.Say(DiagnosisKind.NoUse, $"More {other.Name} does not help: it is idle {Percent(1 - other.Value)} of "
                + $"the time.");
    }

    private string InPlace(double after) => double.IsNaN(after) ? "" : InvariantText.Of(
        $", and about {after:0} ms in place of {figures.LatencyMs:0}");

    /// <summary>The time of an answer with less work for each, and with a second server; NaN where unknown.</summary>
    private (double LessWork, double Two) After(double top, double busy)
    {
        if (double.IsNaN(figures.LatencyMs) || double.IsNaN(figures.Throughput))
            return (double.NaN, double.NaN);
        var demand = figures.Busy.Where(f => !IsSpace(f.Name)).Sum(f => f.Value) / figures.Throughput * 1e3;
        if (top >= 1 || demand >= figures.LatencyMs)
            return (double.NaN, double.NaN);
        var waits = figures.LatencyMs - demand;
        return (QueueInference.Scaled(waits, top, busy) + demand - ((top - busy) / figures.Throughput * 1e3),
            QueueInference.WithTwo(waits, top) + demand);
    }
}

using Spillway.Planner.Queueing;

namespace Spillway.Planner.Diagnosis;

/// <summary>
/// From the parts of a request's time: which is the largest, what it means, and what each step would leave.
/// </summary>
/// <param name="figures">What is known; at least one part.</param>
/// <param name="say">Where the sentences go.</param>
internal sealed class StageDiagnosis(DiagnosisFigures figures, Sentences say)
{
    private const double Small = 0.02;

    private readonly List<(StageKind Kind, double Ms, string Names)> _parts =
    [
        .. figures.Stages.GroupBy(stage => StageKinds.Of(stage.Name))
            .Select(group => (group.Key, group.Sum(stage => stage.Value),
                string.Join(" + ", group.Select(stage => stage.Name).Distinct())))
            .OrderByDescending(part => part.Item2),
    ];

    private double Total => figures.Stages.Sum(stage => stage.Value);

    /// <summary>The word for the largest part.</summary>
    public string Run()
    {
        var top = _parts[0];
        if (Total <= 0)
            return "";
        var word = WordOf(top.Kind);
        say.Say(DiagnosisKind.Bottleneck, $"{word} takes most: {top.Ms:0.##} of {Total:0.##} ms "
            + $"({top.Ms / Total:P0}).");
        say.Say(DiagnosisKind.Evidence, $"{string.Join(", ", _parts.Select(part =>
            InvariantText.Of($"{WordOf(part.Kind)} {part.Ms:0.##} ms "
                + $"({part.Ms / Total:P0})")))}: {Total:0.##} ms together.");
        say.Say(DiagnosisKind.Meaning, $"{MeaningOf(top.Kind)}");
        Sum();
        foreach (var part in _parts.Where(part => part.Ms >= Small * Total))
            Step(part.Kind, part.Ms);
        Then();
        return word;
    }

    private static string WordOf(StageKind kind) => kind switch
    {
        StageKind.Network => "network",
        StageKind.Queue => "queue",
        StageKind.Prefill => "prefill",
        StageKind.Decode => "decode",
        StageKind.Execute => "execution",
        StageKind.Data => "data",
        StageKind.ColdStart => "cold start",
    };

    private static string MeaningOf(StageKind kind) => kind switch
    {
        StageKind.Network => "The way to the server and back: no server can be made to shorten it, only a nearer "
            + "one, a smaller answer, or an open connection in place of a new one.",
        StageKind.Queue => "Requests wait for a place, not for work on them: the model is fast enough, there are too "
            + "few replicas for this load, or it comes in bursts.",
        StageKind.Prefill => "Reading the prompt is arithmetic: a device that computes faster, a smaller model, a "
            + "shorter prompt, or a kept prefix.",
        StageKind.Decode => "Each token of the answer reads all weights: memory bandwidth bounds it. Fewer bits for "
            + "each weight, a smaller model, a shorter answer, or guessing several tokens at a time.",
        StageKind.Execute => "The run itself: a smaller or quantised model, a faster device, or a kept answer. More "
            + "replicas do not make one run shorter.",
        StageKind.Data => "Moving and converting data, not computing: binary tensors in place of JSON, smaller "
            + "inputs, and what is read more than once kept in memory.",
        StageKind.ColdStart => "Something is started while somebody waits: a warm pool, a forecast, or loading faster.",
    };

    private void Sum()
    {
        if (double.IsNaN(figures.LatencyMs) || Total <= 0)
            return;
        var off = figures.LatencyMs - Total;
        if (Math.Abs(off) <= Diagnose.SumTolerance * Total)
            return;
        var why = off > 0 ? "are spent where nobody looks" : "are counted twice, or the mean is of other requests";
        say.Say(DiagnosisKind.Contradiction, $"The parts add up to {Total:0.##} ms, and {figures.LatencyMs:0.##} ms "
            + $"were given as a whole: {Math.Abs(off):0.##} ms {why}.");
    }

    private void Step(StageKind kind, double ms)
    {
        switch (kind)
        {
            case StageKind.Queue:
                Queue(ms);
                break;
            case StageKind.Decode:
                Less(kind, ms, 0.5, "Weights of 8 bits in place of 16 are read in half the time");
                break;
            case StageKind.Prefill:
                Less(kind, ms, 0.5, "A device with twice the arithmetic, or half the prompt from a kept prefix, "
                    + "halves it");
                break;
            case StageKind.Execute:
                Less(kind, ms, 0.5, "A quantised model or a device twice as fast halves it at best");
                break;
            case StageKind.Network:
                Less(kind, ms, 0.5, "A site at half the distance halves it");
                break;
            case StageKind.ColdStart:
                Less(kind, ms, 1, "A replica that is warm has none");
                break;
            case StageKind.Data:
                Less(kind, ms, 0.5, "Half the bytes, or half the copies, halve it");
                break;
        }
    }

    private void Less(StageKind kind, double ms, double gone, string how)
    {
        var after = Total - (ms * gone);
        say.Say(DiagnosisKind.Step, $"{WordOf(kind)}: {how}: {after:0.#} ms in place of {Total:0.#} "
            + $"({ms * gone / Total:P0} less).",
            after);
    }

    private void Queue(double ms)
    {
        if (double.IsNaN(figures.Servers) || double.IsNaN(figures.Capacity))
        {
            var gone = Total - (0.9 * ms);
            say.Say(DiagnosisKind.Step, $"queue: one replica more takes most of it, because waiting grows as 1 / (1 "
                + $"- utilisation): down to {Total - ms:0.#} ms at best, {gone:0.#} ms if a tenth of it stays. With "
                + $"--servers and --capacity the wait is computed.", gone);
            return;
        }

        var (servers, service) = ((int)figures.Servers, 1e3 / figures.Capacity);
        var rate = QueueInference.RateFor(ms, service, servers);
        var busy = WaitingTimes.Exponential(rate, service, servers).Utilisation;
        say.Say(DiagnosisKind.Consequence, $"{servers} servers of {figures.Capacity:0.#} a second make requests wait "
            + $"{ms:0.#} ms at {rate * 1e3:0.##} a second, {busy:0.0 %} busy (M/M/{servers}): whatever the load is "
            + $"said to be, it is near that.");
        for (var more = 1; more <= 2; more++)
        {
            var wait = WaitingTimes.Exponential(rate, service, servers + more).MeanWait;
            var after = Total - ms + wait;
            say.Say(DiagnosisKind.Step, $"queue: {more} more server{(more > 1 ? "s" : "")} at that load: a wait of "
                + $"{wait:0.##} ms, so {after:0} ms in place of {Total:0} ({(Total - after) / Total:P0} "
                + $"less){Cost(more, servers)}.", after);
        }
    }

    private string Cost(int more, int servers) => double.IsNaN(figures.CostPerMonth) ? "" : InvariantText.Of(
        $", for {figures.CostPerMonth / servers * more:0} more a month");

    private void Then()
    {
        if (figures.Then.Count == 0)
            return;
        // A part that is named twice, as the way there and back, is replaced as a whole.
        var names = figures.Then.Select(then => then.Name).ToHashSet();
        var after = figures.Stages.Where(stage => !names.Contains(stage.Name)).Sum(stage => stage.Value)
            + figures.Then.Sum(then => then.Value);
        say.Say(DiagnosisKind.Step, $"As asked, with {string.Join(", ", figures.Then.Select(then =>
            InvariantText.Of($"{then.Name} {then.Value:0.##} ms")))}: {after:0.##} ms in place of {Total:0.##} "
            + $"({(Total - after) / Total:P0} less).", after);
    }
}

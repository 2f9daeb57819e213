using System.Globalization;

namespace Spillway.Planner.Language;

/// <summary>Fitted constants, and how well they say again what they were fitted to.</summary>
/// <param name="Constants">The constants, labelled calibrated.</param>
/// <param name="FirstTokens">First tokens that were used.</param>
/// <param name="LastTokens">Last tokens that were used.</param>
/// <param name="Gaps">Gaps between steps of nothing but answers that were used.</param>
/// <param name="FirstTokenError">The median error of the time to the first token, as a part of it.</param>
/// <param name="TokenError">The median error of the time for each token; NaN where no answer ended.</param>
internal sealed record FitResult(
    EngineConstants Constants, int FirstTokens, int LastTokens, int Gaps, double FirstTokenError, double TokenError);

/// <summary>
/// Fits an engine's constants to a record of requests: simulates what came until a moment, from an idle engine, and
/// compares what was seen until then. Nothing that happened later is used, and the size of the cache is never fitted.
/// </summary>
/// <remarks>
/// Five constants move: the parts of arithmetic and bandwidth, and what a step, a step with prompts and a request of a
/// step add. Each is held near its prior by as much as engines differ, because a short record cannot tell all of them:
/// what it says nothing about stays where kernels measured one by one put it. Residuals are of logarithms, and large
/// ones count linearly: a first request that met a cold engine must not bend the rest. When a request meets a step is
/// chance, and moves with every constant; so its time is the mean over several runs with arrivals a few milliseconds
/// apart.
/// </remarks>
internal sealed class ConstantsFit
{
    private const int SeenMin = 20;
    private const double FirstTokenSpread = 0.25;
    private const double TokenSpread = 0.03;
    private const double HuberAt = 1.5;

    private const int Runs = 4;
    private const double JitterMs = 15;
    private const int Rounds = 90;

    private static readonly double[] s_spread = [0.15, 0.1, 0.7, 0.7, 0.5];

    private readonly LanguageShape _shape;
    private readonly Accelerator _device;
    private readonly LanguageServing _serving;
    private readonly KvMemory _memory;
    private readonly EngineConstants _prior;
    private readonly List<ObservedRequest> _seen;
    private readonly Instant _until;
    private readonly DecodeGaps _gaps;
    private readonly List<(LanguageRequest Request, int At)>[] _runs;

    private ConstantsFit(LanguageShape shape, Accelerator device, LanguageServing serving, KvMemory memory,
        EngineConstants prior, List<ObservedRequest> seen, Instant until)
    {
        (_shape, _device, _serving, _memory) = (shape, device, serving, memory);
        (_prior, _seen, _until, _gaps) = (prior, seen, until, new(seen));
        _runs = [.. Enumerable.Range(0, Runs).Select(Jittered)];
    }

    /// <summary>Fits; a fault where too little was seen or the model does not fit on the devices.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="device">The device.</param>
    /// <param name="serving">How it was served.</param>
    /// <param name="prior">What the constants are without evidence.</param>
    /// <param name="record">By arrival, from an idle engine on.</param>
    /// <param name="until">What happened later is not looked at.</param>
    public static Outcome<FitResult> Fit(LanguageShape shape, Accelerator device, LanguageServing serving,
        EngineConstants prior, IEnumerable<ObservedRequest> record, Instant until)
    {
        if (!KvMemory.Of(shape, device, serving).TryGet(out var memory, out var fault))
            return fault;
        var seen = record.Where(one => one.Request.Arrival <= until).Select(one => one.AsOf(until)).ToList();
        var first = seen.Count(one => one.FirstToken != Instant.Never);
        if (first < SeenMin)
            return Fault.Invalid(string.Create(CultureInfo.InvariantCulture,
                $"Until then the record shows {first} first tokens; a fit needs {SeenMin}. Use a longer record."));
        return new ConstantsFit(shape, device, serving, memory, prior, seen, until).Run();
    }

    private static double Huber(double residual) => Math.Abs(residual) is var size && size <= HuberAt
        ? size * size / 2 : HuberAt * (size - (HuberAt / 2));

    private static double Median(List<double> values)
    {
        if (values.Count == 0)
            return double.NaN;
        values.Sort();
        return values[values.Count / 2];
    }

    private FitResult Run()
    {
        var best = NelderMead.Minimum(Loss, new double[s_spread.Length], [.. s_spread.Select(s => s / 2)], Rounds);
        var constants = At(best);
        var times = Simulate(new(_shape, _device, _serving, constants), _runs[0], null);
        List<double> first = [], each = [];
        for (var at = 0; at < _seen.Count; at++)
        {
            var (seen, time) = (_seen[at], times[at]);
            if (seen.FirstToken != Instant.Never && time.FirstToken != Instant.Never)
                first.Add(Math.Abs(Ratio(time.FirstToken, seen.FirstToken, seen.Request.Arrival) - 1));
            if (PerToken(seen, time) is var ratio && !double.IsNaN(ratio))
                each.Add(Math.Abs(ratio - 1));
        }

        return new(constants, first.Count, each.Count, _gaps.Count, Median(first), Median(each));
    }

    private EngineConstants At(double[] point) => _prior with
    {
        ComputePart = _prior.ComputePart * Math.Exp(point[0]),
        MemoryPart = _prior.MemoryPart * Math.Exp(point[1]),
        StepMs = Math.Max(0.05, _prior.StepMs) * Math.Exp(point[2]),
        PromptStepMs = Math.Max(0.05, _prior.PromptStepMs) * Math.Exp(point[3]),
        SequenceUs = Math.Max(0.5, _prior.SequenceUs) * Math.Exp(point[4]),
        Label = "calibrated",
    };

    // The first run is the record itself; in the others each arrival is moved by a little, seeded.
    private List<(LanguageRequest Request, int At)> Jittered(int run)
    {
        var random = new Random(run);
        var moved = _seen.Select((one, at) => (Request: one.Request with
        {
            Arrival = run == 0 ? one.Request.Arrival
                : one.Request.Arrival + TimeSpan.FromMilliseconds(JitterMs * random.NextDouble()),
        }, At: at));
        return [.. moved.OrderBy(one => one.Request.Arrival).ThenBy(one => one.At)];
    }

    // By the record's order. A request that cannot fit is a mistake in the options, and shows as a bad fit.
    private LanguageTimes[] Simulate(
        Roofline roofline, List<(LanguageRequest Request, int At)> run, List<Instant>? ends)
    {
        var engine = new BatchEngine(roofline, _serving, _memory, ends);
        engine.Play(run.Select(one => one.Request), _until);
        var times = new LanguageTimes[_seen.Count];
        Array.Fill(times, LanguageTimes.None);
        for (var at = 0; at < engine.Times.Count; at++)
        {
            var (shift, time) = (run[at].Request.Arrival - _seen[run[at].At].Request.Arrival, engine.Times[at]);
            times[run[at].At] = time with { FirstToken = time.FirstToken - shift, LastToken = time.LastToken - shift };
        }

        return times;
    }

    private double Loss(double[] point)
    {
        var roofline = new Roofline(_shape, _device, _serving, At(point));
        var ends = new List<Instant>();
        var runs = new LanguageTimes[Runs][];
        for (var run = 0; run < Runs; run++)
            runs[run] = Simulate(roofline, _runs[run], run == 0 ? ends : null);
        var loss = _gaps.Loss(roofline, ends, Huber);
        for (var d = 0; d < point.Length; d++)
            loss += point[d] * point[d] / (2 * s_spread[d] * s_spread[d]);
        for (var at = 0; at < _seen.Count; at++)
            loss += LossOf(_seen[at], runs, at);
        return loss;
    }

    // What was not there yet at the end is only known to be later: it costs where the simulation has it earlier, and
    // the other way round.
    private double LossOf(in ObservedRequest seen, LanguageTimes[][] runs, int at)
    {
        var (arrival, was) = (seen.Request.Arrival, Instant.Earlier(seen.FirstToken, _until));
        var (first, each, eachCount) = (0.0, 0.0, 0);
        foreach (var run in runs)
        {
            var told = Instant.Earlier(run[at].FirstToken, _until);
            first += told <= arrival || was <= arrival ? 0 : Math.Log(Ratio(told, was, arrival)) / runs.Length;
            if (PerToken(seen, run[at]) is not (double.NaN or <= 0) and var ratio)
                (each, eachCount) = (each + Math.Log(ratio), eachCount + 1);
        }

        return Huber(first / FirstTokenSpread) + (eachCount > 0 ? Huber(each / eachCount / TokenSpread) : 0);
    }

    private double PerToken(in ObservedRequest seen, in LanguageTimes time)
    {
        if (seen.LastToken == Instant.Never || time.FirstToken == Instant.Never || seen.Request.Output < 2)
            return double.NaN;
        var last = Instant.Earlier(time.LastToken, _until);
        var span = (last - time.FirstToken).Ticks;
        return span > 0 ? span / (double)(seen.LastToken - seen.FirstToken).Ticks : double.NaN;
    }

    private static double Ratio(Instant told, Instant was, Instant arrival) =>
        (told - arrival).Ticks / (double)(was - arrival).Ticks;
}

using System.Globalization;
using System.Text;
using Spillway.Config;
using Spillway.Planner.Answers;
using Spillway.Planner.Language;
using Spillway.Planner.Plans;
using Spillway.Planner.Workloads;

namespace Spillway.Planner.Calibration;

/// <summary>What a fit found, and how far off it was where it had not looked.</summary>
public sealed record CalibrationResult
{
    /// <summary>Which variant was fitted.</summary>
    public required string Variant { get; init; }

    /// <summary>On which machine.</summary>
    public required string Machine { get; init; }

    /// <summary>Answered requests before the cut, which were fitted to.</summary>
    public required int Fitted { get; init; }

    /// <summary>Answered requests after it.</summary>
    public required int HeldOut { get; init; }

    /// <summary>Requests of the record that were not answered, or not by this model.</summary>
    public required int PassedOver { get; init; }

    /// <summary>Where the cut is: seconds since the first arrival.</summary>
    public required double CutSecond { get; init; }

    /// <summary>What is written for plans.</summary>
    public required CalibrationFileOptions File { get; init; }

    /// <summary>For a curve: the spread of runs around it, as the plan's runSpread; null for a language
    /// model.</summary>
    public double? RunSpread { get; init; }

    /// <summary>The file, in YAML.</summary>
    public string Yaml()
    {
        var text = new StringBuilder("# Written by `spillway plan calibrate`. A plan names it in curveFiles, or in a "
            + "language model's\n# constantsFile; its times are then labelled calibrated.\n");
        Line($"source: \"{File.Source.Replace('"', '\'')}\"");
        if (File.Curve.Count > 0)
            text.Append("curve:\n");
        foreach (var point in File.Curve)
            Line($"  - {{ rows: {point.Rows}, ms: {point.Ms:0.####} }}");
        if (File.RunSpread is { } spread)
            Line($"runSpread: {spread:0.###}");
        if (File.Before is { } own)
            Line($"before: {{ ms: {own.Ms:0.####}, variation: {own.Variation:0.###}, atOnce: {own.AtOnce} }}");
        if (File.Constants is { } c)
        {
            text.Append("constants:\n");
            Line($"  computePart: {c.ComputePart:0.####}\n  memoryPart: {c.MemoryPart:0.####}");
            Line($"  knee: {c.Knee:0.####}\n  linkPart: {c.LinkPart:0.####}");
            Line($"  attentionPart: {c.AttentionPart:0.####}\n  stepMs: {c.StepMs:0.####}");
            Line($"  promptStepMs: {c.PromptStepMs:0.####}\n  sequenceUs: {c.SequenceUs:0.####}");
            Line($"  layerUs: {c.LayerUs:0.####}\n  exchangeUs: {c.ExchangeUs:0.####}");
            Line($"  label: {c.Label}");
        }

        if (File.HeldOut.Count > 0)
            text.Append("heldOut:\n");
        foreach (var one in File.HeldOut)
            Line($"  - {{ what: \"{one.What}\", measured: {one.Measured:0.####}, told: {one.Told:0.####}, unit: ms }}");
        return text.ToString();

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }
}

/// <summary>A fit, or everything that is wrong with its record.</summary>
/// <param name="Result">The fit; null after an error.</param>
/// <param name="Errors">All errors of the record.</param>
/// <param name="Fault">Why nothing could be fitted; null when it could, or where the record has errors.</param>
public sealed record CalibrationOutcome(CalibrationResult? Result, IReadOnlyList<ConfigError> Errors, Fault? Fault);

/// <summary>
/// Fits the times of a plan's variant to a record of requests: what came before a cut is fitted to, what came after it
/// says how far off the fit is. Pure.
/// </summary>
public static class ServiceCalibration
{
    /// <summary>Fits.</summary>
    /// <param name="plan">Read and checked.</param>
    /// <param name="candidate">What served: a candidate with one site that has machines.</param>
    /// <param name="record">Its name, for errors and for the source; and its text.</param>
    /// <param name="model">Only requests for this served name; empty for all.</param>
    /// <param name="heldOutShare">The part of the recorded time that is not fitted to, above 0 and below 1.</param>
    public static CalibrationOutcome Fit(Plan plan, CandidateOptions candidate, (string Name, string Text) record,
        string model, double heldOutShare)
    {
        var errors = new ErrorList();
        if (RecordText.Read(record.Name, record.Text, model, errors) is not (var answers, var passed))
            return new(null, errors.ToArray(), null);
        if (candidate.Sites.Count != 1 || candidate.Sites.Values.First() is not { Machine: { Length: > 0 } machine })
            return new(null, [], Fault.Invalid($"{candidate.Name} has more than one site, or none with machines. A "
                + "record of one server says nothing of the others: name a candidate with one site."));
        var cut = (long)(answers[^1].At * (1 - heldOutShare));
        var result = new CalibrationResult
        {
            Variant = candidate.Variant, Machine = machine, Fitted = answers.Count(a => a.At <= cut),
            HeldOut = answers.Count(a => a.At > cut), PassedOver = passed, File = new(),
            CutSecond = cut / (double)TimeSpan.TicksPerSecond,
        };
        var source = string.Create(CultureInfo.InvariantCulture, $"fitted to {result.Fitted} requests of the first "
            + $"{result.CutSecond:0.#} s of {record.Name}, checked against {result.HeldOut} later ones");
        var fitted = plan.Options.Variants[candidate.Variant].Language is { } language
            ? Language(plan, language, machine, answers, cut) : Curve(plan, candidate, answers, cut);
        return fitted.TryGet(out var found, out var fault)
            ? new(result with { File = found.File with { Source = source }, RunSpread = found.Spread }, [], null)
            : new(null, [], fault);
    }

    private static Outcome<(CalibrationFileOptions File, double? Spread)> Curve(
        Plan plan, CandidateOptions candidate, IReadOnlyList<RecordedAnswer> answers, long cut)
    {
        RecordedAnswer[] before = [.. answers.Where(a => a.At <= cut)], after = [.. answers.Where(a => a.At > cut)];
        if (!CurveFit.Fit(before).TryGet(out var curve, out var fault))
            return fault;
        var typical = CurveFit.TypicalElements(before);
        var errors = CurveFit.Errors(curve, after, typical)
            .Concat(Played(plan, candidate, curve, after, typical));
        return (new CalibrationFileOptions
        {
            Curve = curve.Points, RunSpread = curve.RunSpread, HeldOut = [.. errors],
            Before = CurveFit.Own(before),
        }, curve.Spread);
    }

    /// <summary>The later requests, played through the candidate with the fitted curve: waits and runs.</summary>
    private static IEnumerable<HeldOutOptions> Played(Plan plan, CandidateOptions candidate, FittedCurve curve,
        RecordedAnswer[] after, double? typical)
    {
        if (after.Length < 20 || after.Any(a => a.QueueMs is null || a.ExecuteMs is null))
            return [];
        var (name, place) = candidate.Sites.First();
        var variant = plan.Options.Variants[candidate.Variant] with
        {
            Curves = new Dictionary<string, IReadOnlyList<CurvePointOptions>> { [place.Machine] = curve.Points },
            RunSpread = curve.RunSpread, Before = null,
        };
        var region = plan.Options.Sites[name].NetworkMs.Keys.First();
        var options = plan.Options with
        {
            DurationSeconds = Math.Max(1, Math.Ceiling(after[^1].Second - after[0].Second + 1)), WarmUpSeconds = 0,
            Goals = new(), Search = null,
            Variants = plan.Options.Variants.ToDictionary(
                v => v.Key, v => v.Key == candidate.Variant ? variant : v.Value),
            Sites = plan.Options.Sites.ToDictionary(s => s.Key, s => s.Value with
            {
                NetworkMs = s.Value.NetworkMs.ToDictionary(n => n.Key, _ => 0.0), BandwidthMbps = 1e6,
            }),
            Workloads =
            [
                new()
                {
                    Name = "record", Arrivals = ArrivalKind.Trace, BytesIn = 0, BytesOut = 0,
                    Regions = new Dictionary<string, double> { [region] = 1 },
                    DeadlineMs = plan.Options.Workloads[0].DeadlineMs,
                },
            ],
        };
        var trace = new RecordedTrace([.. after.Select(a => a.At - after[0].At)],
            [.. after.Select(a => CurveFit.SizeOf(a, typical))], null, null, null);
        var played = Evaluation.Run(plan with
        {
            Options = options, Traces = new Dictionary<string, RecordedTrace> { ["record"] = trace },
        }, candidate with { CacheEntries = 0 })!;
        double[] seen = [.. after.Select(a => a.QueueMs!.Value + a.ExecuteMs!.Value).Order()];
        return
        [
            Of("wait and run, mean", seen.Average(), played.Total.MeanMs),
            Of("wait and run, p95", seen[(int)(0.95 * (seen.Length - 1))], played.Total.P95Ms),
        ];
    }

    private static Outcome<(CalibrationFileOptions File, double? Spread)> Language(Plan plan,
        LanguageVariantOptions language, string machine, IReadOnlyList<RecordedAnswer> answers, long cut)
    {
        List<ObservedRequest> seen = [.. answers.Where(a => a is { TokensIn: > 0, TokensOut: > 0, FirstTokenMs: > 0 })
            .Select(Observed)];
        if (seen.Count < answers.Count)
            return Fault.Invalid(string.Create(CultureInfo.InvariantCulture, $"{answers.Count - seen.Count} of "
                + $"{answers.Count} requests lack tokens_in, tokens_out or first_token_ms. A language model is fitted "
                + $"to all requests that its engine had, or their steps do not add up: give the three in every line."));
        var (shape, device) = (plan.Models[language.Model], plan.Devices[plan.Machines[machine].Gpu]);
        if (!ConstantsFit.Fit(shape, device, language.Serving, language.Constants, seen, new(cut))
            .TryGet(out var fit, out var fault))
            return fault;
        if (!KvMemory.Of(shape, device, language.Serving).TryGet(out var memory, out fault))
            return fault;
        var engine = new BatchEngine(new(shape, device, language.Serving, fit.Constants), language.Serving, memory);
        if (engine.Play(seen.Select(one => one.Request), Instant.Never) is { } wrong)
            return wrong;
        return (new CalibrationFileOptions
        {
            Constants = fit.Constants, HeldOut = [.. Errors(seen, engine.Times, cut)],
        }, (double?)null);
    }

    private static ObservedRequest Observed(RecordedAnswer a)
    {
        var at = new Instant(a.At);
        Instant After(double? ms) => ms is { } later ? at + TimeSpan.FromMilliseconds(later) : Instant.Never;
        return new(new(at, a.TokensIn!.Value, a.TokensOut!.Value), After(a.FirstTokenMs),
            After(a.TotalMs ?? (a.TokensOut == 1 ? a.FirstTokenMs : null)))
        {
            Queued = a.QueuedMs is null ? null : After(a.QueuedMs),
            Scheduled = a.ScheduledMs is null ? null : After(a.ScheduledMs),
        };
    }

    private static IEnumerable<HeldOutOptions> Errors(
        List<ObservedRequest> seen, IReadOnlyList<LanguageTimes> told, long cut)
    {
        List<int> later = [.. Enumerable.Range(0, seen.Count).Where(i => seen[i].Request.Arrival.Ticks > cut)];
        if (later.Count == 0)
            yield break;
        yield return Of("time to the first token, mean",
            later.Average(i => (seen[i].FirstToken - seen[i].Request.Arrival).TotalMilliseconds),
            later.Average(i => told[i].FirstTokenTime(seen[i].Request).TotalMilliseconds));
        List<int> whole = [.. later.Where(i => seen[i].LastToken != Instant.Never && seen[i].Request.Output > 1)];
        if (whole.Count == 0)
            yield break;
        double Each(int i) => (seen[i].LastToken - seen[i].FirstToken).TotalMilliseconds / (seen[i].Request.Output - 1);
        yield return Of("time of each further token, mean", whole.Average(Each),
            whole.Average(i => told[i].MsPerToken(seen[i].Request)));
        yield return Of("all answers complete after", whole.Max(i => seen[i].LastToken.Ticks) / 1e4,
            whole.Max(i => told[i].LastToken.Ticks) / 1e4);
    }

    private static HeldOutOptions Of(string what, double measured, double told) =>
        new() { What = what, Measured = Math.Round(measured, 4), Told = Math.Round(told, 4), Unit = "ms" };
}

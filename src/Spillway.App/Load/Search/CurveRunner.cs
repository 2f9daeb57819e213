namespace Spillway.App.Load.Search;

/// <summary>
/// Latency over load: a list of rates (<c>--sweep</c>), endpoints in turns, or for each endpoint the search for its
/// highest rate (<c>--find-max</c>).
/// </summary>
internal sealed class CurveRunner(
    LoadPlan plan, IReadOnlyList<SearchPlan> searches, LoadClock clock, ProgressLine progress,
    Action<Endpoint, StepReport> told)
{
    /// <summary>The confirming run is longer than the steps that found its rate.</summary>
    private const double ConfirmFactor = 2;

    /// <summary>A flood in place of a first guess would measure the flood.</summary>
    private const double FirstLoad = 0.5;

    /// <summary>On a thread of its own, as <see cref="LoadRunner"/>.</summary>
    public Task<CurveReport> RunAsync(CancellationToken stop) => Task.Factory.StartNew(
        () => Run(stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private CurveReport Run(CancellationToken stop)
    {
        SelfWarmUp.Run(clock, open: true, stop);
        var endpoints = searches.Count > 0 ? Search(stop) : Sweep(stop);
        progress.Clear();
        return new()
        {
            Arrivals = plan.Arrivals,
            ConnectionsMax = plan.ConnectionsMax,
            WarmupSeconds = plan.WarmupSeconds,
            Seed = plan.Seed,
            Endpoints = endpoints,
            Warnings = [.. endpoints.SelectMany(Warnings), .. plan.Notes],
            Interrupted = stop.IsCancellationRequested,
        };
    }

    private List<CurveEndpoint> Sweep(CancellationToken stop)
    {
        var runners = plan.Endpoints.Select(e => new StepRunner(plan, e, clock, search: null)).ToList();
        var steps = plan.Endpoints.Select(_ => new List<StepReport>()).ToList();
        foreach (var rate in plan.Sweep)
        {
            for (var i = 0; i < runners.Count && !stop.IsCancellationRequested; i++)
            {
                if (RunStep(runners[i], plan.Endpoints[i], rate, "sweep", stop) is { } step)
                    steps[i].Add(step);
            }
        }

        return [.. plan.Endpoints.Select((e, i) => Describe(e, steps[i], max: null))];
    }

    private List<CurveEndpoint> Search(CancellationToken stop)
    {
        List<CurveEndpoint> found = [];
        foreach (var (endpoint, search) in plan.Endpoints.Zip(searches))
        {
            if (!stop.IsCancellationRequested)
                found.Add(Search(endpoint, search, stop));
        }

        return found;
    }

    private CurveEndpoint Search(Endpoint endpoint, SearchPlan search, CancellationToken stop)
    {
        var runner = new StepRunner(plan, endpoint, clock, search);
        var machine = new MaxRateSearch(
            plan.Rate > 0 ? plan.Rate : FirstRate(endpoint, stop), search.Resolution, runner.RateMin);
        List<StepReport> steps = [];
        var limited = false;
        while (!stop.IsCancellationRequested && machine.Next() is var (rate, kind))
        {
            if (RunStep(runner, endpoint, rate, Name(kind), stop) is not { } step || stop.IsCancellationRequested)
                break;
            steps.Add(step);
            if (step.GeneratorLate && step.Verdict != "holds")
            {
                // The server was not offered this rate: nothing is known of it here, nor above.
                limited = true;
                machine.Cap(rate);
            }

            machine.Observe(rate, kind, VerdictOf(step));
        }

        return Describe(endpoint, steps, new()
        {
            Rate = machine.Rate,
            Confirmed = machine.Confirmed,
            Confidence = search.Confidence,
            BrokenRate = machine.Broken,
            Bounds = [.. search.Bounds.Select(b => b.Name)],
            GeneratorLimited = limited,
        });
    }

    private StepReport? RunStep(
        StepRunner runner, Endpoint endpoint, double rate, string kind, CancellationToken stop)
    {
        progress.BeginStep(endpoint.Name, kind, rate);
        var step = runner.Run(rate, kind, kind == "confirm" ? ConfirmFactor : 1, progress.Show, stop);
        if (step is null)
            return null;
        progress.Clear();
        told(endpoint, step);
        return step;
    }

    /// <summary>Half of what one patient client gets: any server carries that.</summary>
    private double FirstRate(Endpoint endpoint, CancellationToken stop)
    {
        progress.BeginRound($"{endpoint.Name} one client", 1);
        var alone = plan with
        {
            Arrivals = "closed",
            Concurrency = 1,
            WarmupSeconds = 0.5,
            DurationSeconds = 1.5,
            Phases = [new(1, 1.5)],
        };
        var data = new Round(alone, endpoint, 0, clock, csv: null).Run(progress.Show, stop);
        var latency = data?.Recorder.Phases[0].OkLatency.Quantile(0.5) ?? 0;
        if (latency > 0 || stop.IsCancellationRequested)
            return Math.Max(FirstLoad * LoadClock.PerSecond / Math.Max(1, latency), MaxRateSearch.RateMin);
        var refusal = data?.Recorder.Phases[0].Refusals is [var first, ..] ? $": {first.Reason} {first.Example}" : "";
        throw LoadException.Failed($"{endpoint.Name} gave no ok answer to a single client{refusal}. Try one request "
            + "with --requests 1, or begin with a lower --rate.");
    }

    private static CurveEndpoint Describe(Endpoint endpoint, IReadOnlyList<StepReport> steps, MaxReport? max) => new()
    {
        Name = endpoint.Name,
        Server = endpoint.Server.ToString(),
        Model = endpoint.Model,
        Path = endpoint.Path,
        DeadlineMs = endpoint.DeadlineMs,
        Steps = steps,
        Max = max,
    };

    private static IEnumerable<string> Warnings(CurveEndpoint endpoint)
    {
        if (endpoint.Max is { GeneratorLimited: true })
            yield return $"{endpoint.Name}: the generator was late before the server was: its limit is higher than "
                + "what was found. Give this process more CPU, or run it on another machine.";
        else if (endpoint.Steps.Any(s => s.GeneratorLate))
            yield return $"{endpoint.Name}: in some steps the generator sent late; its wait is inside the latencies.";
        if (endpoint.Max is { Rate: null } && endpoint.Steps.Any(s => s.Verdict == "undecided"))
            yield return $"{endpoint.Name}: steps ended before they had enough requests to show anything. Raise "
                + "--step-max, or ask for less: a lower percentile, or --confidence 95%.";
    }

    private static Verdict VerdictOf(StepReport step) => step.Verdict switch
    {
        "holds" => Verdict.Holds,
        "broken" => Verdict.Broken,
        _ => Verdict.Undecided,
    };

    private static string Name(StepKind kind) => kind switch
    {
        StepKind.Bracket => "bracket",
        StepKind.Bisect => "bisect",
        StepKind.Confirm => "confirm",
    };
}

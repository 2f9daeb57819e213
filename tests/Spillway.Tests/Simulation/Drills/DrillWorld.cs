using Spillway.App.Cli.Drills;
using Spillway.Config;
using Spillway.Flow;
using Spillway.Planner;
using Spillway.Planner.Routes;
using Spillway.Policies.Chains;

namespace Spillway.Tests.Simulation.Drills;

/// <summary>
/// A route as the demo has it, on virtual time: a model (line) of two replicas that takes 30 ms, a second name over it
/// at half the width (half), another model (small), and an upstream (gpu) of three targets. Something is broken from
/// the tenth to the twentieth second, and what its callers saw goes through the same measures as a live drill's.
/// </summary>
internal sealed class DrillWorld
{
    public const double FromMs = 10_000;
    public const double ToMs = 20_000;
    public const double EndMs = 30_000;

    /// <summary>Elements of a request, and of a row of the curve.</summary>
    private const int Elements = 320;

    private static readonly string[] s_names = ["line", "half", "small", "gpu"];

    private readonly Calendar _calendar = new();
    private readonly Random _random;
    private readonly IReadOnlyList<string> _steps;
    private int _count;

    /// <summary>An idle one.</summary>
    /// <param name="seed">Of everything.</param>
    /// <param name="steps">line, half, small, gpu, cached or message.</param>
    /// <param name="change">Changes the route's options.</param>
    /// <param name="upstream">The upstream's options.</param>
    public DrillWorld(
        int seed, IReadOnlyList<string> steps, Func<RouteOptions, RouteOptions>? change = null,
        UpstreamOptions? upstream = null)
    {
        (_random, _steps) = (new(seed), steps);
        Line = Deployment("line", 30, runners: 2, seed);
        Small = Deployment("small", 8, runners: 1, seed + 1);
        Targets = [.. Enumerable.Range(0, 3)
            .Select(i => new SimulatedTarget($"t{i}", new(8, 40), _calendar, seed + i))];
        Gpu = new("gpu", upstream ?? new() { FirstDeltaMs = 500 }, Targets, _calendar, seed);
        var options = new RouteOptions
        {
            DeadlineMs = 400,
            Chain = new() { Steps = [.. steps.Select(StepOf)] },
        };
        var models = new Dictionary<string, IStepWorld>
        {
            ["line"] = Line, ["half"] = Line.Smaller(0.5), ["small"] = Small, ["gpu"] = Gpu,
        };
        Route = new("r", change?.Invoke(options) ?? options, models, _calendar, seed);
    }

    public RouteWorld Route { get; }

    public DeploymentStep Line { get; }

    public DeploymentStep Small { get; }

    public UpstreamStep Gpu { get; }

    public IReadOnlyList<SimulatedTarget> Targets { get; }

    /// <summary>What callers saw, in the order in which they came.</summary>
    public IReadOnlyList<DrillSample> Samples => field ??= [.. Route.Answers.Select(Sample).OrderBy(s => s.AtMs)];

    public DrillStretch Before => DrillMeasure.Stretch("before", "", 1000, FromMs, Samples);

    public DrillStretch Broken => Stretch(FromMs, ToMs);

    public DrillStretch After => DrillMeasure.Stretch("after", "", ToMs, EndMs, Samples);

    public double? RecoveryMs => DrillMeasure.Recovery(Samples, ToMs, EndMs, Before);

    public double? EffectMs => DrillMeasure.Effect(Samples, FromMs, ToMs, Before);

    /// <summary>Poisson traffic at a rate, between two instants.</summary>
    /// <param name="rate">A second.</param>
    /// <param name="fromMs">From.</param>
    /// <param name="toMs">To.</param>
    /// <param name="questions">How many different questions there are; 0: each is new.</param>
    public DrillWorld Send(double rate, double fromMs = 0, double toMs = EndMs, int questions = 0)
    {
        for (var ms = fromMs; ; _count++)
        {
            ms -= Math.Log(1 - _random.NextDouble()) * 1000 / rate;
            if (ms >= toMs)
                return this;
            var question = questions == 0 ? _count : _random.Next(questions);
            Route.Arrive($"r{_count}", At(ms), new(question) { Elements = Elements });
        }
    }

    /// <summary>Something happens.</summary>
    public DrillWorld When(double ms, Action happens)
    {
        _calendar.Schedule(At(ms), happens);
        return this;
    }

    /// <summary>Lives through all of it.</summary>
    public DrillWorld Run()
    {
        _calendar.Run();
        Assert.Equal(_count, Route.Answers.Count);
        Assert.Equal(_count, Route.Answers.Select(a => a.Id).Distinct().Count());
        return this;
    }

    /// <summary>What was seen of those who came between two instants.</summary>
    public DrillStretch Stretch(double fromMs, double toMs) =>
        DrillMeasure.Stretch("broken", "something is broken", fromMs, toMs, Samples);

    /// <summary>Calls to targets for each request that came in ten seconds, at most.</summary>
    public double CallsPerRequestMost()
    {
        var most = 0.0;
        for (var from = 0.0; from <= EndMs - 10_000; from += 500)
        {
            var calls = Gpu.CalledAt.Count(at => at >= At(from) && at < At(from + 10_000));
            most = Math.Max(most, calls / (double)Stretch(from, from + 10_000).Sent);
        }

        return most;
    }

    private static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));

    private DeploymentStep Deployment(string name, double ms, int runners, int seed)
    {
        BatchPoint[] curve = [new(1, TimeSpan.FromMilliseconds(ms))];
        return new(
            new(new() { BatchRowsMax = 1 }, new() { FixedMs = 250 }, curve, Elements, runners),
            new(new(name, "1"), name, RouteState.Ready, "", 256), new CurveTimes(curve, Elements, 0.1, seed),
            _calendar);
    }

    /// <summary>Targets that are all left alone are waited for; what follows needs some time, too.</summary>
    private static ChainStepOptions StepOf(string step) => s_names.Contains(step)
        ? new()
        {
            Model = step, WhenPredictedWaitMs = step is "line" ? 100 : null, TimeoutMs = step is "gpu" ? 300 : 0,
        }
        : step is "cached" ? new() { Kind = ChainStepKind.Cached }
        : new() { Kind = ChainStepKind.Message, Message = "busy" };

    private DrillSample Sample(RouteAnswer answer)
    {
        var outcome = !answer.IsAnswered ? DrillOutcome.Refused
            : answer.IsDegraded ? DrillOutcome.Degraded : DrillOutcome.Full;
        var isHit = answer.Fault is null && (answer.Step < 0 || answer.Joined);
        var by = answer.Fault is { } fault ? $"{fault.Kind}" : answer.Step < 0 ? "cache" : _steps[answer.Step];
        return new(
            answer.Came.Ticks / (double)TimeSpan.TicksPerMillisecond, (answer.Ended - answer.Came).TotalMilliseconds,
            outcome, by, answer.Id, isHit);
    }
}

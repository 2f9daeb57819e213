using Spillway.Config;
using Spillway.Planner;
using Spillway.Planner.Routes;
using Spillway.Policies.Budgets;
using Spillway.Policies.Chains;
using Spillway.Policies.Rates;

namespace Spillway.Tests.Planner.Routes;

/// <summary>A simulated route with limits and budgets before two models that answer everybody.</summary>
internal sealed class GateBench
{
    public const double DearMs = 100;

    private readonly RouteWorld _world;
    private int _number;

    /// <summary>An idle one: a dear model first (1 a token), a cheap one behind it (a tenth), then a message.</summary>
    public GateBench(
        Dictionary<string, RateOptions>? rates = null, Dictionary<string, BudgetOptions>? budgets = null,
        string[]? on = null, bool remembers = false)
    {
        (Dear, Cheap) = (new(Calendar, DearMs), new(Calendar, 10));
        Gate = new("route", new(rates ?? [], budgets ?? [], new Dictionary<string, double>(),
            new(2026, 6, 1, 0, 0, 0, DateTimeKind.Utc)), [("dear", Price(1)), ("cheap", Price(0.1m)), (null, null)],
            Calendar);
        ChainStepOptions[] steps =
        [
            new() { Model = "dear", On = on ?? [] }, new() { Model = "cheap", On = on ?? [] },
            new() { Kind = ChainStepKind.Message, Message = "later" },
        ];
        var route = new RouteOptions
        {
            Chain = new() { Steps = steps }, DeadlineMs = 60_000,
            Cache = new() { Enabled = remembers, TtlMs = 3_600_000 },
        };
        var models = new Dictionary<string, IStepWorld> { ["dear"] = Dear, ["cheap"] = Cheap };
        _world = new("route", route, models, Calendar, seed: 1)
        {
            Gate = Gate,
        };
    }

    public Calendar Calendar { get; } = new();

    public TimedStep Dear { get; }

    public TimedStep Cheap { get; }

    public RouteGate Gate { get; }

    public IReadOnlyList<RouteAnswer> Answers => _world.Answers;

    /// <summary>The ends in the order of coming: the step, or what refused.</summary>
    public IEnumerable<string> Ends => Answers
        .OrderBy(a => int.Parse(a.Id, System.Globalization.CultureInfo.InvariantCulture))
        .Select(a => a.Fault?.Kind.ToString() ?? (a.Joined ? "joined" : $"{a.Step}"));

    /// <summary>A request of ten tokens that says who asks.</summary>
    public void Arrive(double ms, string tenant = "local", string key = "one", long question = -1, long tokens = 10,
        double? timeoutMs = null) => _world.Arrive($"{_number++}", At(ms), new(question)
        {
            Tenant = tenant, Key = key, PassesCache = question < 0, TokensWritten = tokens, TokensWrittenMax = tokens,
            Timeout = timeoutMs is { } most ? TimeSpan.FromMilliseconds(most) : null,
        });

    /// <summary>Lives to the end; nothing is held then.</summary>
    public GateBench Run()
    {
        Calendar.Run();
        Assert.Equal(_number, Answers.Count);
        Assert.Equal(0, Gate.Open);
        Assert.All(Gate.Budgets, b => Assert.Equal(0, b.State.Reserved.Nano));
        return this;
    }

    public static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));

    /// <summary>Units a token: prices are for a million.</summary>
    private static StepPrice Price(decimal each) => new(0, each * 1_000_000m);
}

using Spillway.Flow;
using Spillway.Policies.Sharing;

namespace Spillway.Tests.Flow;

/// <summary>
/// A device flow under saturated or random demand on a clock of its own, with its laws checked after every event from
/// an independent count: turns, groups, no idle turn while somebody waits.
/// </summary>
internal sealed class DeviceBench(DeviceFlow device, int seed)
{
    private readonly Random _random = new(seed);
    private readonly PriorityQueue<Action, (long Ticks, long Sequence)> _events = new();
    private readonly List<Taker> _takers = [];
    private long _sequence;

    public DeviceFlow Device => device;

    public Instant Now { get; private set; }

    /// <summary>Adds a deployment whose runners always want to run, or rest between runs.</summary>
    public Taker Add(
        double runMs, double weight = 1, int runners = 1, int turns = 1, string group = "", int priority = 2,
        double restMs = 0, double spread = 0.2)
    {
        var options = new SharingOptions { Weight = weight, Group = group, Priority = priority };
        var taker = new Taker
        {
            RunMs = runMs, RestMs = restMs, Spread = spread, Group = group, Since = new Instant?[runners],
        };
        taker.Share = device.Join(options, runners, turns, TimeSpan.FromMilliseconds(runMs), taker);
        _takers.Add(taker);
        for (var runner = 0; runner < runners; runner++)
        {
            var mine = runner;
            At(_random.NextDouble(), () => Want(taker, mine));
        }

        return taker;
    }

    public void At(double inMs, Action happens) =>
        _events.Enqueue(happens, (Now.Ticks + (long)(inMs * TimeSpan.TicksPerMillisecond), _sequence++));

    public void Run(double untilMs, IReadOnlyDictionary<string, int>? groups = null)
    {
        while (_events.TryPeek(out _, out var due) && due.Ticks <= untilMs * TimeSpan.TicksPerMillisecond)
        {
            var happens = _events.Dequeue();
            Now = new(due.Ticks);
            happens();
            while (device.TryNext(Now, out var grant))
                Begin((Taker)grant.Share.Owner!, grant.Runner);
            CheckLaws(groups ?? new Dictionary<string, int>());
        }
    }

    private void Want(Taker taker, int runner)
    {
        taker.Since[runner] = Now;
        if (device.Ask(taker.Share, runner, Now))
            Begin(taker, runner);
    }

    private void Begin(Taker taker, int runner)
    {
        var waited = (Now - taker.Since[runner]!.Value).TotalMilliseconds;
        taker.LongestWaitMs = Math.Max(taker.LongestWaitMs, waited);
        taker.Since[runner] = null;
        taker.Running++;
        var run = taker.RunMs * (1 + (taker.Spread * ((2 * _random.NextDouble()) - 1)));
        At(run, () => End(taker, runner, run));
    }

    private void End(Taker taker, int runner, double run)
    {
        taker.Running--;
        taker.RanMs += run;
        taker.Runs++;
        if (taker.RestMs > 0)
        {
            device.Return(taker.Share, runner, ran: true, Now);
            At(taker.RestMs * 2 * _random.NextDouble(), () => Want(taker, runner));
            return;
        }

        taker.Since[runner] = Now;
        if (device.Again(taker.Share, runner, Now))
            Begin(taker, runner);
    }

    private void CheckLaws(IReadOnlyDictionary<string, int> groups)
    {
        var running = _takers.Sum(t => t.Running);
        Assert.True(running <= device.Turns, $"{running} run on {device.Turns} turns");
        Assert.Equal(device.Running, running);
        foreach (var (group, limit) in groups)
            Assert.True(InGroup(group) <= limit, $"{InGroup(group)} of group {group} run, its limit is {limit}");
        if (running == device.Turns)
            return;
        foreach (var waiting in _takers.Where(t => t.Since.Any(s => s is not null)))
        {
            Assert.True(
                groups.TryGetValue(waiting.Group, out var limit) && InGroup(waiting.Group) == limit,
                $"a turn is idle at {Now.Ticks} while somebody waits who may run");
        }
    }

    private int InGroup(string group) => _takers.Where(t => t.Group == group).Sum(t => t.Running);

    internal sealed class Taker
    {
        public DeviceShare Share { get; set; } = null!;

        public double RunMs { get; init; }

        public double RestMs { get; init; }

        public double Spread { get; init; }

        public required string Group { get; init; }

        /// <summary>By runner: since when it waits.</summary>
        public required Instant?[] Since { get; init; }

        public int Running { get; set; }

        public int Runs { get; set; }

        public double RanMs { get; set; }

        public double LongestWaitMs { get; set; }
    }
}

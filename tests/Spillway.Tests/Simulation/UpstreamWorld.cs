using Spillway.Planner;
using Spillway.Planner.Routes;

namespace Spillway.Tests.Simulation;

/// <summary>
/// Callers, a route to upstreams (<see cref="UpstreamStep"/>: the production policies on virtual time), and the
/// upstreams. An upstream works through a queue at a steady rate, also for callers who have given up, as real ones do;
/// while it is dead it refuses connections or hangs. Naive callers go round the targets and try again three times after
/// 100 ms, which is what many clients do.
/// </summary>
internal sealed class UpstreamWorld
{
    public const double DeadFromMs = 10_000;
    public const double DeadToMs = 40_000;
    public const double EndMs = 60_000;
    public const double TimeoutMs = 500;
    public const double DeadlineMs = 1000;
    public const double WorkMs = 10;
    public const int PerSecond = 200;

    private const double NaivePauseMs = 100;
    private const int NaiveAttemptsMax = 4;

    private readonly Calendar _calendar = new();
    private readonly Random _random;
    private readonly SimulatedTarget[] _targets;
    private readonly UpstreamStep _step;
    private readonly bool _naive;
    private int _round;

    /// <summary>The first target dies, the others stay.</summary>
    public UpstreamWorld(int seed, int targets, bool hangs, bool naive)
    {
        (_random, _naive) = (new(seed), naive);
        // Half as much again as is asked for, with and without the one that dies; however long its queue.
        var profile = new TargetProfile(
            1, 1000.0 / (PerSecond * 1.5 / Math.Max(1, targets - 1)), Spread: 0, QueueMsMax: double.MaxValue);
        _targets = [.. Enumerable.Range(0, targets).Select(i => new SimulatedTarget($"t{i}", profile, _calendar, seed)
        {
            Delay = TimeSpan.FromMilliseconds(WorkMs), Called = () => Attempts.Add((NowMs, i)),
        })];
        _step = new("up", new() { FirstDeltaMs = TimeoutMs }, _targets, _calendar, seed) { KeepsCalls = false };
        _calendar.Schedule(Ms(DeadFromMs), () => _targets[0].State = hangs ? TargetState.Hangs : TargetState.Dead);
        _calendar.Schedule(Ms(DeadToMs), () => _targets[0].State = TargetState.Well);
    }

    /// <summary>Everybody who came, in the order of coming.</summary>
    public List<Caller> Callers { get; } = [];

    /// <summary>When attempts were sent, and where to.</summary>
    public List<(double Ms, int Target)> Attempts { get; } = [];

    /// <summary>Attempts for each request in a stretch of time.</summary>
    public double AttemptsPerRequest(double fromMs, double toMs) =>
        Attempts.Count(a => a.Ms >= fromMs && a.Ms < toMs)
        / (double)Callers.Count(c => c.CameMs >= fromMs && c.CameMs < toMs);

    /// <summary>The part of those who came in a stretch of time and were answered.</summary>
    public double Answered(double fromMs, double toMs) =>
        Callers.Where(c => c.CameMs >= fromMs && c.CameMs < toMs).Average(c => c.TookMs is null ? 0 : 1);

    /// <summary>A percentile of the time of those who were answered.</summary>
    public double Percentile(double share, double fromMs, double toMs)
    {
        double[] times = [.. Callers.Where(c => c.CameMs >= fromMs && c.CameMs < toMs && c.TookMs is not null)
            .Select(c => c.TookMs!.Value).Order()];
        return times[(int)(share * (times.Length - 1))];
    }

    /// <summary>How long after its return the last one came who was not answered.</summary>
    public double RecoveredMs => Callers.Where(c => c.TookMs is null && c.CameMs < EndMs - DeadlineMs)
        .Select(c => c.CameMs - DeadToMs).Append(0).Max();

    /// <summary>How long after its return the first target took its part again.</summary>
    public double BackMs(int attempts) =>
        Attempts.Where(a => a.Target == 0 && a.Ms >= DeadToMs).Skip(attempts).Select(a => a.Ms).First() - DeadToMs;

    public void Run()
    {
        for (var ms = 0.0; ms < EndMs; ms += -Math.Log(1 - _random.NextDouble()) * 1000 / PerSecond)
        {
            var caller = new Caller(ms);
            Callers.Add(caller);
            _calendar.Schedule(Ms(ms), () => Send(caller));
        }

        _calendar.Run();
    }

    private double NowMs => _calendar.Now.Ticks / (double)TimeSpan.TicksPerMillisecond;

    private void Send(Caller caller)
    {
        if (_naive)
            Attempt(caller, attempt: 1);
        else
            _step.Ask(
                new("", Ms(caller.CameMs), Ms(caller.CameMs + DeadlineMs), 1, 1, Criticality.Critical),
                fault => Ended(caller, fault is null));
    }

    private void Attempt(Caller caller, int attempt)
    {
        var isOver = false;
        void Over(bool answered)
        {
            if (isOver)
                return;
            isOver = true;
            if (answered)
                Ended(caller, answered: true);
            else if (attempt < NaiveAttemptsMax)
                _calendar.Schedule(Ms(NowMs + NaivePauseMs), () => Attempt(caller, attempt + 1));
        }

        _targets[_round++ % _targets.Length].Call(reply => Over(reply.Fault is null));
        _calendar.Schedule(Ms(NowMs + TimeoutMs), () => Over(answered: false));
    }

    private void Ended(Caller caller, bool answered)
    {
        if (answered && NowMs - caller.CameMs <= DeadlineMs)
            caller.TookMs = NowMs - caller.CameMs;
    }

    private static Instant Ms(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));

    /// <summary>One who asks once.</summary>
    internal sealed class Caller(double cameMs)
    {
        public double CameMs => cameMs;

        public double? TookMs { get; set; }
    }
}

using Spillway.App.Load.Search;

namespace Spillway.App.Load;

/// <summary>The raw outcome of one round of one endpoint.</summary>
internal sealed record RoundData
{
    public required int Number { get; init; }

    public required Recorder Recorder { get; init; }

    /// <summary>Length of the measured window.</summary>
    public required double Seconds { get; init; }

    /// <summary>From the start of the last phase; null: not recovered, or one phase.</summary>
    public required double? RecoverySeconds { get; init; }

    /// <summary>CPU seconds of the server's process tree; null without <c>--pid</c>.</summary>
    public required double? ServerCpuSeconds { get; init; }

    /// <summary>CPU seconds of this process over the same time.</summary>
    public required double OwnCpuSeconds { get; init; }

    /// <summary>Answers over which the CPU seconds are spread.</summary>
    public required long CpuAnswers { get; init; }

    /// <summary>2xx answers over which the CPU seconds are spread.</summary>
    public required long CpuOk { get; init; }

    public required int Connections { get; init; }

    /// <summary>Open loop: requests that found every connection taken.</summary>
    public required long Waited { get; init; }
}

/// <summary>Runs one round: warm-up, measured window, drain.</summary>
internal sealed class Round(LoadPlan plan, Endpoint endpoint, int number, LoadClock clock, CsvLog? csv)
{
    /// <summary>
    /// How often a look is taken at the load: rare enough to cost nothing, often enough for timeouts and the progress
    /// line.
    /// </summary>
    private const long TickNs = LoadClock.PerSecond / 5;

    /// <summary>The same for timeouts under a second, and for connections that wait to try again.</summary>
    private const long RestlessTickNs = LoadClock.PerSecond / 20;

    private const long GraceNs = LoadClock.PerSecond / 2;
    private const long DrainLookNs = LoadClock.PerSecond / 50;

    private static readonly Task s_never = new TaskCompletionSource().Task;

    private readonly ProcessCpu _cpu = new();
    private readonly StageTable _stages = endpoint.Stages;
    private readonly long _timeoutNs = (long)(plan.TimeoutSeconds * LoadClock.PerSecond);
    private readonly long _drainNs = (long)(plan.DrainSeconds * LoadClock.PerSecond);

    private readonly record struct CpuMark(double? Server, double Own, long Answered, long Ok);

    /// <summary>
    /// Null when it was interrupted before its measured window began. <paramref name="enough"/> is asked at every look
    /// inside the window, with the time since its start, and ends it early.
    /// </summary>
    public RoundData? Run(Action<RoundProgress> progress, CancellationToken stop, Func<long, bool>? enough = null,
        Cohorts? cohorts = null)
    {
        var recorder = new Recorder(plan.Phases.Count, endpoint.DeadlineNs, _stages, csv, cohorts);
        CpuMark? begin = plan.WarmupSeconds > 0 ? null : Mark(recorder, begin: true);
        var from = clock.Now + (long)(plan.WarmupSeconds * LoadClock.PerSecond);
        var to = from + (long)(plan.DurationSeconds * LoadClock.PerSecond);
        recorder.Window(from, to);
        csv?.BeginRound(endpoint.Name, number, from);
        using var load = CreateLoad(recorder, from, to);
        load.Begin();
        var cut = false;
        while (!cut && !IsOver(load, to, stop))
        {
            Wait(load, begin is null ? from : to, load.Exhausted);
            var since = clock.Now - from;
            if (begin is null && since >= 0)
                begin = Mark(recorder, begin: true);
            progress(new(recorder, since, plan));
            cut = since >= 0 && enough?.Invoke(since) == true;
        }

        var ended = Math.Min(clock.Now, to);
        var end = Mark(recorder, begin: false);
        Drain(load, recorder, from, cut, stop);
        return begin is { } start && ended > from ? Finish(Collect(recorder, load, start, end), load, from, to, ended)
            : null;
    }

    private bool IsOver(ILoad load, long to, CancellationToken stop) =>
        stop.IsCancellationRequested || load.Exhausted.IsCompleted || clock.Now >= to;

    private RoundData Finish(RoundData data, ILoad load, long from, long to, long ended)
    {
        // A run that ends with its last request lasts until that is answered.
        var last = data.Recorder.LastEnded;
        var counted = load.Exhausted.IsCompleted && ended < to && last > from;
        return data with
        {
            Seconds = ((counted ? Math.Min(last, to) : ended) - from) / (double)LoadClock.PerSecond,
            RecoverySeconds = data.Recorder.TakeRecovery(
                to - (long)(plan.Phases[^1].Seconds * LoadClock.PerSecond), to),
        };
    }

    private void Drain(ILoad load, Recorder recorder, long from, bool cut, CancellationToken stop)
    {
        var began = clock.Now;
        if (cut || stop.IsCancellationRequested)
        {
            recorder.Window(from, began);
            load.Stop();
        }

        while (load.InFlight > 0)
        {
            var left = (stop.IsCancellationRequested ? GraceNs : _drainNs) - (clock.Now - began);
            if (left <= 0)
                break;
            Wait(load, clock.Now + Math.Min(left, DrainLookNs), s_never);
        }

        recorder.Close();
        load.Stop();
    }

    /// <summary>Until the next look, the given instant, or the end of <paramref name="over"/>.</summary>
    private void Wait(ILoad load, long until, Task over)
    {
        var tick = load.Restless || _timeoutNs < LoadClock.PerSecond ? RestlessTickNs : TickNs;
        var left = Math.Clamp(until - clock.Now, 0, tick);
        // Rounded up: a wait that ends short of the instant would be followed by an empty turn.
        over.Wait((int)((left + LoadClock.PerMillisecond - 1) / LoadClock.PerMillisecond));
        load.Tick();
    }

    private RoundData Collect(Recorder recorder, ILoad load, CpuMark begin, CpuMark end) => new()
    {
        Number = number,
        Recorder = recorder,
        Seconds = 0,
        RecoverySeconds = null,
        ServerCpuSeconds = end.Server - begin.Server,
        OwnCpuSeconds = end.Own - begin.Own,
        CpuAnswers = end.Answered - begin.Answered,
        CpuOk = end.Ok - begin.Ok,
        Connections = load is OpenLoop open ? open.ConnectionCount : plan.Concurrency,
        Waited = load is OpenLoop openLoop ? openLoop.Waited : 0,
    };

    /// <summary>
    /// Reading a server's CPU time walks /proc, which is no cost of a request: <paramref name="begin"/> takes this
    /// process' own time after it, the end before it.
    /// </summary>
    private CpuMark Mark(Recorder recorder, bool begin)
    {
        var own = begin ? 0 : OwnSeconds();
        var server = endpoint.Pid is { } pid ? _cpu.ReadSeconds(pid) : null;
        var (answered, ok) = (recorder.AnsweredEver, recorder.OkEver);
        return new(server, begin ? OwnSeconds() : own, answered, ok);
    }

    private static double OwnSeconds() => Environment.CpuUsage.TotalTime.TotalSeconds;

    private ILoad CreateLoad(Recorder recorder, long from, long to)
    {
        var settings = new LoadSettings
        {
            Clock = clock,
            Address = endpoint.Address,
            Stages = _stages,
            Requests = endpoint.Requests,
            Seed = unchecked(plan.Seed + (number * 7919)),
            MeasureFrom = from,
            MeasureTo = to,
            RequestsMax = plan.RequestsMax,
            TimeoutNs = _timeoutNs,
        };
        if (plan.Concurrency > 0)
            return new ClosedLoop(settings, recorder, plan.Concurrency);
        var warmup = plan.WarmupSeconds > 0
            ? new Schedule(plan.CreateArrivals(settings.Seed + 1),
                [plan.Phases[0] with { Seconds = plan.WarmupSeconds }])
            : null;
        var schedule = new Schedule(plan.CreateArrivals(settings.Seed), plan.Phases);
        return new OpenLoop(settings, recorder, warmup, schedule, plan.ConnectionsMax);
    }
}

/// <summary>A running round, for the progress line.</summary>
internal readonly record struct RoundProgress(Recorder Recorder, long SinceMeasureFromNs, LoadPlan Plan);

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
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(50);
    private static readonly long s_graceNs = LoadClock.PerSecond / 2;

    private readonly ProcessCpu _cpu = new();
    private readonly StageTable _stages = endpoint.Stages;

    private readonly record struct CpuMark(double? Server, double Own, long Answered, long Ok);

    /// <summary>Null when it was interrupted before its measured window began.</summary>
    public async Task<RoundData?> RunAsync(Action<RoundProgress> progress, CancellationToken stop)
    {
        var recorder = new Recorder(plan.Phases.Count, endpoint.DeadlineNs, _stages, csv);
        CpuMark? begin = plan.WarmupSeconds > 0 ? null : Mark(recorder);
        var from = clock.Now + (long)(plan.WarmupSeconds * LoadClock.PerSecond);
        var to = from + (long)(plan.DurationSeconds * LoadClock.PerSecond);
        recorder.Window(from, to);
        csv?.BeginRound(endpoint.Name, number, from);
        using var load = CreateLoad(recorder, from, to);
        using var timer = new PeriodicTimer(s_tick, clock.Time);
        load.Begin();
        while (!stop.IsCancellationRequested && !load.Exhausted.IsCompleted && clock.Now < to)
        {
            await Wait(timer, load);
            begin ??= clock.Now >= from ? Mark(recorder) : null;
            progress(new(recorder, clock.Now - from, plan));
        }

        var ended = Math.Min(clock.Now, to);
        var end = Mark(recorder);
        await DrainAsync(load, recorder, timer, from, stop);
        if (begin is not { } start || ended <= from)
            return null;
        // A run that ends with its last request lasts until that is answered.
        var counted = load.Exhausted.IsCompleted && ended < to && recorder.LastEnded > from;
        return Collect(recorder, load, start, end) with
        {
            Seconds = ((counted ? Math.Min(recorder.LastEnded, to) : ended) - from) / (double)LoadClock.PerSecond,
            RecoverySeconds = recorder.TakeRecovery(to - (long)(plan.Phases[^1].Seconds * LoadClock.PerSecond), to),
        };
    }

    private async Task DrainAsync(ILoad load, Recorder recorder, PeriodicTimer timer, long from, CancellationToken stop)
    {
        if (stop.IsCancellationRequested)
            recorder.Window(from, clock.Now);
        var began = clock.Now;
        var limit = (long)(plan.DrainSeconds * LoadClock.PerSecond);
        if (stop.IsCancellationRequested)
            load.Stop();
        while (load.InFlight > 0 && clock.Now - began < (stop.IsCancellationRequested ? s_graceNs : limit))
            await Wait(timer, load);
        recorder.Close();
        load.Stop();
    }

    private static async Task Wait(PeriodicTimer timer, ILoad load)
    {
        await timer.WaitForNextTickAsync(CancellationToken.None);
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

    private CpuMark Mark(Recorder recorder) => new(
        endpoint.Pid is { } pid ? _cpu.ReadSeconds(pid) : null,
        Environment.CpuUsage.TotalTime.TotalSeconds,
        recorder.AnsweredEver,
        recorder.OkEver);

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
            TimeoutNs = (long)(plan.TimeoutSeconds * LoadClock.PerSecond),
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

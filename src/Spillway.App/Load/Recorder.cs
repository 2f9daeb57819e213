using Spillway.App.Load.Search;

namespace Spillway.App.Load;

/// <summary>
/// Collects the ends of requests of one round of one endpoint. One short lock; memory is bounded by the histograms
/// (about 2.5 MB) and, in runs of phases, by 2 million samples of the last phase for the recovery time.
/// </summary>
internal sealed class Recorder
{
    private const int SamplesMax = 2_000_000;

    private readonly Lock _lock = new();
    private readonly long _deadlineNs;
    private readonly CsvLog? _csv;
    private readonly Cohorts? _cohorts;
    private readonly LatencyHistogram?[] _stages = new LatencyHistogram?[StageTable.StagesMax];
    private readonly int _totalStage;
    private readonly List<Recovery.Sample> _lastPhase = [];
    private long _windowFrom = long.MaxValue;
    private long _windowTo = long.MaxValue;
    private bool _closed;

    public Recorder(int phases, long deadlineNs, StageTable stages, CsvLog? csv, Cohorts? cohorts = null)
    {
        (_deadlineNs, _csv, _cohorts) = (deadlineNs, csv, cohorts);
        Phases = [.. Enumerable.Range(0, phases).Select(_ => new Tally())];
        // The first name in the table, so that the sum is found without a search per answer.
        _totalStage = stages.IndexOf("total"u8, 0);
    }

    public Tally[] Phases { get; }

    /// <summary>From the scheduled send to the first byte handed to the kernel.</summary>
    public LatencyHistogram SendLag { get; } = new();

    /// <summary>From the scheduled send to the moment the generator came to it: its own lateness.</summary>
    public LatencyHistogram DispatchLag { get; } = new();

    /// <summary>
    /// Client latency from the first byte sent, minus the server's total: wire, kernel and both ends' queues.
    /// </summary>
    public LatencyHistogram Network { get; } = new();

    /// <summary>
    /// Answers that ended inside the measured window, also of requests begun before it: the rate's numerator.
    /// </summary>
    public long CompletedInWindow { get; private set; }

    /// <summary>The 2xx answers among them.</summary>
    public long OkInWindow { get; private set; }

    /// <summary>
    /// Every answer since the round began, measured or not: what the server's CPU time is divided by.
    /// </summary>
    public long AnsweredEver { get; private set; }

    /// <summary>The 2xx answers among them.</summary>
    public long OkEver { get; private set; }

    /// <summary>When the last measured request ended; 0 before.</summary>
    public long LastEnded { get; private set; }

    public LatencyHistogram? Stage(int stage) => _stages[stage];

    public void Offer(in Work work)
    {
        Phases[work.Phase].Offer();
        _cohorts?.Offer(work.Scheduled);
    }

    public void Window(long from, long to)
    {
        _cohorts?.Begin(from);
        lock (_lock)
            (_windowFrom, _windowTo) = (from, to);
    }

    /// <summary>What ends later is unanswered.</summary>
    public void Close()
    {
        lock (_lock)
            _closed = true;
    }

    /// <summary>
    /// The recovery time of a closed recorder, after which its samples are let go; null with one phase.
    /// </summary>
    public double? TakeRecovery(long lastPhaseFrom, long lastPhaseTo)
    {
        lock (_lock)
        {
            if (Phases.Length == 1)
                return null;
            var seconds = Recovery.Seconds(_lastPhase, lastPhaseFrom, lastPhaseTo, Phases[0]);
            _lastPhase.Clear();
            _lastPhase.TrimExcess();
            return seconds;
        }
    }

    public void Record(in Work work, long now, TransportError error, ResponseParser? answer)
    {
        lock (_lock)
        {
            if (_closed)
                return;
            Count(now, error, answer);
            if (!work.Measured)
                return;
            Measure(work, now, error, answer);
            _csv?.Write(work, now, error, answer);
        }
    }

    /// <summary>Figures for the progress line, consistent with each other.</summary>
    public ProgressFigures Progress(Tally into)
    {
        lock (_lock)
        {
            foreach (var phase in Phases)
                into.Add(phase);
            return new(into, AnsweredEver);
        }
    }

    private void Count(long now, TransportError error, ResponseParser? answer)
    {
        if (error != TransportError.None || answer is null)
            return;
        var ok = answer.Status is >= 200 and < 300 ? 1 : 0;
        AnsweredEver++;
        OkEver += ok;
        if (now < _windowFrom || now > _windowTo)
            return;
        CompletedInWindow++;
        OkInWindow += ok;
    }

    private void Measure(in Work work, long now, TransportError error, ResponseParser? answer)
    {
        var tally = Phases[work.Phase];
        var latency = now - work.Scheduled;
        LastEnded = now;
        DispatchLag.Record(work.Dispatched - work.Scheduled);
        if (work.Sent != 0)
            SendLag.Record(work.Sent - work.Scheduled);
        if (error != TransportError.None || answer is null)
            tally.Error(error, work.Sent != 0);
        else
            tally.Answer(latency, _deadlineNs, answer);
        var ok = error == TransportError.None && answer is { Status: >= 200 and < 300 };
        if (ok)
        {
            _cohorts?.Answer(work.Scheduled, latency);
            RecordStages(answer!.Stages, now - work.Sent);
        }

        if (Phases.Length > 1 && work.Phase == Phases.Length - 1 && _lastPhase.Count < SamplesMax)
            _lastPhase.Add(new(work.Scheduled, ok ? latency : Recovery.Failed));
    }

    private void RecordStages(StageTimes stages, long sinceSent)
    {
        for (var i = 0; i < stages.Count; i++)
        {
            if (stages[i] < 0)
                continue;
            (_stages[i] ??= new()).Record(stages[i]);
            if (i == _totalStage)
                Network.Record(sinceSent - stages[i]);
        }
    }
}

/// <summary>A moment's figures of a running round.</summary>
internal readonly record struct ProgressFigures(Tally Tally, long Answered);

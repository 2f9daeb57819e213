using System.Globalization;

namespace Spillway.Telemetry;

/// <summary>
/// What a scrape asks a deployment. Called on the scraper's thread: cheap, thread-safe, without throwing.
/// </summary>
internal sealed record DeploymentGauges
{
    /// <summary>Requests that hold a place in the queue.</summary>
    public required Func<double> QueueDepth { get; init; }

    /// <summary>Places that the queue has.</summary>
    public Func<double> QueueLengthMax { get; init; } = () => double.NaN;

    /// <summary>Requests inside a run.</summary>
    public required Func<double> InFlight { get; init; }

    /// <summary>Predicted wait of a typical request now, in seconds.</summary>
    public required Func<double> PredictedWaitSeconds { get; init; }

    /// <summary>Runners that exist.</summary>
    public required Func<double> Runners { get; init; }

    /// <summary>The batch sizes whose learned time is shown; those of the measured curve.</summary>
    public IReadOnlyList<int> ServiceRows { get; init; } = [];

    /// <summary>Learned time of a run of that many rows, in seconds; NaN while nothing is learned.</summary>
    public Func<int, double> ServiceSeconds { get; init; } = _ => double.NaN;
}

/// <summary>
/// What is counted for one deployment: its queue, batches and runners, whichever name a request came in by.
/// Thread-safe; recording is 0 B.
/// </summary>
internal sealed class DeploymentInstruments : IDisposable
{
    private static readonly CutReason[] s_cuts = [.. Enum.GetValues<CutReason>().Where(cut => cut != CutReason.None)];
    private static readonly FaultKind[] s_drops =
    [
        FaultKind.QueueFull, FaultKind.PredictedLate, FaultKind.DroppedLate, FaultKind.DeadlineExceeded,
        FaultKind.Cancelled, FaultKind.ShuttingDown,
    ];

    private readonly InstrumentRegistry _registry;
    private readonly Histogram _rows = Histogram.OfRows();
    private readonly Counter _requests = new();
    private readonly Counter[] _cuts = [.. s_cuts.Select(_ => new Counter())];
    private readonly Counter?[] _drops = new Counter?[FaultLabels.Kinds.Count];
    private readonly Counter[] _busy;

    /// <summary>Creates and registers every series of the deployment.</summary>
    /// <param name="registry">Where the exposition finds them.</param>
    /// <param name="deployment">The deployment's name and version.</param>
    /// <param name="devices">Its devices' names; the index is the one given to <see cref="Ran"/>.</param>
    /// <param name="gauges">What is asked at each scrape.</param>
    public DeploymentInstruments(
        InstrumentRegistry registry, ModelRef deployment, IReadOnlyList<string> devices, DeploymentGauges gauges)
    {
        _registry = registry;
        _busy = [.. devices.Select(_ => new Counter(TimeSpan.TicksPerSecond))];
        foreach (var kind in s_drops)
            _drops[(int)kind] = new Counter();
        registry.Add(this, Own(deployment, devices, gauges));
    }

    /// <summary>The refusals and drops that are counted here; other faults befall a request elsewhere.</summary>
    public static IReadOnlyList<FaultKind> DropKinds => s_drops;

    /// <summary>A batch was taken from the queue.</summary>
    public void Took(int rows, int requests, CutReason cut)
    {
        _rows.Record(rows);
        _requests.Add(requests);
        if (cut != CutReason.None)
            _cuts[(int)cut - 1].Add();
    }

    /// <summary>A run ended, well or not, after that time on that device.</summary>
    public void Ran(int device, TimeSpan time) => _busy[device].Add(time);

    /// <summary>A request was refused or dropped instead of run; faults that are no drops are not counted.</summary>
    public void Dropped(FaultKind why) => _drops[(int)why]?.Add();

    /// <summary>Takes the series out of the exposition.</summary>
    public void Dispose() => _registry.Remove(this);

    private IEnumerable<Series> Own(
        ModelRef self, IReadOnlyList<string> devices, DeploymentGauges gauges)
    {
        string[] plain = [self.Name, self.Version];
        yield return new(Instruments.QueueDepth, new Gauge(gauges.QueueDepth), plain);
        yield return new(Instruments.QueueLengthMax, new Gauge(gauges.QueueLengthMax), plain);
        yield return new(Instruments.InFlight, new Gauge(gauges.InFlight), plain);
        yield return new(Instruments.PredictedWait, new Gauge(gauges.PredictedWaitSeconds), plain);
        yield return new(Instruments.Runners, new Gauge(gauges.Runners), plain);
        foreach (var rows in gauges.ServiceRows)
        {
            yield return new(Instruments.ServiceTime, new Gauge(() => gauges.ServiceSeconds(rows)),
                [.. plain, rows.ToString(CultureInfo.InvariantCulture)]);
        }

        yield return new(Instruments.BatchRows, _rows, plain);
        yield return new(Instruments.BatchRequests, _requests, plain);
        for (var i = 0; i < s_cuts.Length; i++)
            yield return new(Instruments.Cuts, _cuts[i], [.. plain, s_cuts[i].Label()]);
        foreach (var kind in s_drops)
            yield return new(Instruments.Drops, _drops[(int)kind]!, [.. plain, FaultLabels.Of(kind)]);
        for (var i = 0; i < _busy.Length; i++)
            yield return new(Instruments.RunnerBusy, _busy[i], [.. plain, devices[i]]);
    }
}

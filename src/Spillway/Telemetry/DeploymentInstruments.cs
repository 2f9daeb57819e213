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

    /// <summary>
    /// The lengths that requests are padded to, ascending; empty without padding. Bounded by the options.
    /// </summary>
    public IReadOnlyList<int> Buckets { get; init; } = [];

    /// <summary>Memory that the model takes; NaN when nobody can tell.</summary>
    public Func<double> MemoryBytes { get; init; } = () => double.NaN;

    /// <summary>Sequences that live; null for a model without state.</summary>
    public Func<double>? Sequences { get; init; }

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
    private readonly Counter _real = new();
    private readonly Counter _padding = new();
    private readonly Counter[] _buckets;
    private readonly Counter _sequencesExpired = new();
    private readonly Counter _sequencesRefused = new();
    private readonly Counter _unpadded = new();
    private readonly IReadOnlyList<int> _lengths;

    /// <summary>Creates and registers every series of the deployment.</summary>
    /// <param name="registry">Where the exposition finds them.</param>
    /// <param name="deployment">The deployment's name and version.</param>
    /// <param name="devices">Its devices' names; the index is the one given to <see cref="Ran"/>.</param>
    /// <param name="gauges">What is asked at each scrape.</param>
    public DeploymentInstruments(
        InstrumentRegistry registry, ModelRef deployment, IReadOnlyList<string> devices, DeploymentGauges gauges)
    {
        _registry = registry;
        _lengths = gauges.Buckets;
        _buckets = [.. gauges.Buckets.Select(_ => new Counter())];
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

    /// <summary>What that batch holds.</summary>
    /// <param name="rows">Rows.</param>
    /// <param name="bucket">The bucket of its length; of no meaning without buckets.</param>
    /// <param name="length">The length that it is padded to.</param>
    /// <param name="elements">Input elements, padding included.</param>
    /// <param name="padding">Those of them that are padding.</param>
    public void Filled(int rows, int bucket, long length, long elements, long padding)
    {
        _real.Add(elements - padding);
        _padding.Add(padding);
        if (_buckets.Length > 0)
            (padding > 0 || _lengths[bucket] == length ? _buckets[bucket] : _unpadded).Add(rows);
    }

    /// <summary>So many sequences were idle for too long.</summary>
    public void SequencesExpired(int count) => _sequencesExpired.Add(count);

    /// <summary>The rules of sequences refused a request.</summary>
    public void SequenceRefused() => _sequencesRefused.Add();

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
        yield return new(Instruments.ModelMemory, new Gauge(gauges.MemoryBytes), plain);
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
        yield return new(Instruments.BatchElements, _real, [.. plain, "real"]);
        yield return new(Instruments.BatchElements, _padding, [.. plain, "padding"]);
        for (var i = 0; i < _buckets.Length; i++)
            yield return new(Instruments.BucketRows, _buckets[i], [.. plain, Length(_lengths[i])]);
        if (_buckets.Length > 0)
            yield return new(Instruments.BucketRows, _unpadded, [.. plain, "own"]);
        if (gauges.Sequences is { } live)
        {
            yield return new(Instruments.Sequences, new Gauge(live), plain);
            yield return new(Instruments.SequencesExpired, _sequencesExpired, plain);
            yield return new(Instruments.SequencesRefused, _sequencesRefused, plain);
        }

        foreach (var kind in s_drops)
            yield return new(Instruments.Drops, _drops[(int)kind]!, [.. plain, FaultLabels.Of(kind)]);
        for (var i = 0; i < _busy.Length; i++)
            yield return new(Instruments.RunnerBusy, _busy[i], [.. plain, devices[i]]);
    }

    private static string Length(int bucket) => bucket.ToString(CultureInfo.InvariantCulture);
}

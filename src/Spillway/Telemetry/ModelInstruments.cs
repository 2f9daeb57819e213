namespace Spillway.Telemetry;

/// <summary>
/// What a scrape asks a served name. Called on the scraper's thread: cheap, thread-safe, without throwing.
/// </summary>
internal sealed record ModelGauges
{
    /// <summary>Whether nothing real runs behind it.</summary>
    public bool Simulated { get; init; }

    /// <summary>Whether it answers.</summary>
    public Func<bool> Ready { get; init; } = () => true;

    /// <summary>Whether its load failed.</summary>
    public Func<bool> Failed { get; init; } = () => false;
}

/// <summary>
/// What is counted for one served name and version. Created when the name begins to be served, disposed when it ends.
/// Thread-safe; recording is 0 B.
/// </summary>
internal sealed class ModelInstruments : IDisposable
{
    private readonly InstrumentRegistry _registry;
    private readonly Counter[] _outcomes = [.. Make(1 + FaultLabels.Kinds.Count, () => new Counter())];
    private readonly Histogram[] _stages = [.. Make(Timeline.StageCount, Histogram.OfTimes)];
    private readonly Histogram _answered = Histogram.OfTimes();
    private readonly Histogram _failed = Histogram.OfTimes();
    private readonly Counter _rows = new();
    private readonly Counter _requestBytes = new();
    private readonly Counter _responseBytes = new();

    /// <summary>Creates and registers every series of the name.</summary>
    public ModelInstruments(InstrumentRegistry registry, ModelRef model, ModelGauges gauges)
    {
        _registry = registry;
        registry.Add(this, Own(model, gauges));
    }

    /// <summary>Of a name that answers from the beginning.</summary>
    public ModelInstruments(InstrumentRegistry registry, ModelRef model, bool simulated)
        : this(registry, model, new ModelGauges { Simulated = simulated })
    {
    }

    /// <summary>What the protocol's statistics extension tells of the name.</summary>
    public ModelStatistics Statistics { get; } = new(rowsMax: 32);

    /// <summary>Which of its requests the ring keeps.</summary>
    public TraceControl Tracing { get; init; } = new();

    /// <summary>The statistics under Triton's names; null when they are switched off.</summary>
    public TritonInstruments? Triton { get; set; }

    /// <summary>Pictures decoded at this name's door.</summary>
    public Counter PictureDecodes { get; } = new();

    /// <summary>
    /// Counts one request at its end: about ten histogram recordings. A stage without time was not reached and is not
    /// counted, so that a flood of refusals does not drag the execution times to zero.
    /// </summary>
    /// <param name="timeline">Complete, with <see cref="Stage.Write"/>.</param>
    /// <param name="outcome">The fault that ended it, or null.</param>
    /// <param name="rows">Rows answered; counted only without a fault.</param>
    /// <param name="bytesIn">Bytes of the body received.</param>
    /// <param name="bytesOut">Bytes of the body written.</param>
    public void Record(in Timeline timeline, FaultKind? outcome, long rows, long bytesIn, long bytesOut)
    {
        var stages = _stages;
        for (var i = 0; i < stages.Length; i++)
        {
            var ticks = timeline[(Stage)i].Ticks;
            if (ticks > 0)
                stages[i].Record(ticks);
        }

        if (outcome is null)
            _rows.Add(rows);
        (outcome is null ? _answered : _failed).Record(timeline.Total);
        _outcomes[outcome is { } kind ? 1 + (int)kind : 0].Add();
        _requestBytes.Add(bytesIn);
        _responseBytes.Add(bytesOut);
    }

    /// <summary>Takes the series out of the exposition.</summary>
    public void Dispose()
    {
        _registry.Remove(this);
        Triton?.Dispose();
    }

    private static IEnumerable<T> Make<T>(int count, Func<T> create) =>
        Enumerable.Range(0, count).Select(_ => create());

    private IEnumerable<Series> Own(ModelRef model, ModelGauges gauges)
    {
        yield return new(Instruments.Requests, _outcomes[0], [model.Name, model.Version, FaultLabels.Ok]);
        foreach (var kind in FaultLabels.Kinds)
        {
            var label = FaultLabels.Of(kind);
            yield return new(Instruments.Requests, _outcomes[1 + (int)kind], [model.Name, model.Version, label]);
        }

        foreach (var stage in StageNames.All)
            yield return new(Instruments.StageDuration, _stages[(int)stage], [model.Name, model.Version, stage.Name()]);
        yield return new(Instruments.RequestDuration, _answered, [model.Name, model.Version, FaultLabels.Ok]);
        yield return new(Instruments.RequestDuration, _failed, [model.Name, model.Version, "fault"]);
        yield return new(Instruments.RequestRows, _rows, [model.Name, model.Version]);
        yield return new(Instruments.RequestBytes, _requestBytes, [model.Name, model.Version]);
        yield return new(Instruments.ResponseBytes, _responseBytes, [model.Name, model.Version]);
        yield return new(Instruments.PictureDecodes, PictureDecodes, [model.Name, model.Version]);
        yield return new(Instruments.Simulated, new Gauge(() => gauges.Simulated ? 1 : 0), [model.Name, model.Version]);
        yield return new(Instruments.Ready, new Gauge(() => gauges.Ready() ? 1 : 0), [model.Name, model.Version]);
        yield return new(
            Instruments.LoadFailed, new Gauge(() => gauges.Failed() ? 1 : 0), [model.Name, model.Version]);
    }
}

namespace Spillway.Telemetry;

/// <summary>
/// The statistics of one served name under the names that Triton's /metrics has, so that its dashboards work. Nothing
/// is counted here: a scrape reads what <see cref="ModelStatistics"/> has.
/// </summary>
internal sealed class TritonInstruments : IDisposable
{
    private readonly InstrumentRegistry _registry;
    private readonly ModelStatistics _statistics;

    /// <summary>Registers every series of the name.</summary>
    /// <param name="registry">Where the exposition finds them.</param>
    /// <param name="model">Name and version.</param>
    /// <param name="statistics">What is read.</param>
    /// <param name="pending">Requests that wait for a runner now.</param>
    public TritonInstruments(
        InstrumentRegistry registry, ModelRef model, ModelStatistics statistics, Func<double> pending)
    {
        (_registry, _statistics) = (registry, statistics);
        registry.Add(this, Own([model.Name, model.Version], pending));
    }

    /// <summary>Takes the series out of the exposition.</summary>
    public void Dispose() => _registry.Remove(this);

    private IEnumerable<Series> Own(string[] labels, Func<double> pending)
    {
        yield return Of(Instruments.TritonSuccess, labels, s => s.Success.Count);
        foreach (var reason in Enum.GetValues<TritonReason>())
        {
            yield return Of(Instruments.TritonFailure, [.. labels, reason.Label()], s => s.Failures[(int)reason]);
        }

        yield return Of(Instruments.TritonInferences, labels, s => s.InferenceCount);
        yield return Of(Instruments.TritonExecutions, labels, s => s.ExecutionCount);
        yield return Of(Instruments.TritonRequestTime, labels, s => Microseconds(s.Success));
        yield return Of(Instruments.TritonQueueTime, labels, s => Microseconds(s.Queue));
        yield return Of(Instruments.TritonInputTime, labels, s => Microseconds(s.ComputeInput));
        yield return Of(Instruments.TritonInferTime, labels, s => Microseconds(s.ComputeInfer));
        yield return Of(Instruments.TritonOutputTime, labels, s => Microseconds(s.ComputeOutput));
        yield return new(Instruments.TritonPending, new Gauge(pending), labels);
    }

    private Series Of(InstrumentSpec spec, string[] labels, Func<StatisticsView, double> read) =>
        new(spec, new Gauge(() => read(_statistics.Look())), labels);

    /// <summary>Whole ones, as Triton gives them.</summary>
    private static double Microseconds(StatisticDuration duration) => duration.Nanoseconds / 1000;
}

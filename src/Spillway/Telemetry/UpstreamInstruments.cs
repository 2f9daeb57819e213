namespace Spillway.Telemetry;

/// <summary>What is counted for one upstream. Thread-safe.</summary>
/// <param name="targets">Its targets' names.</param>
internal sealed class UpstreamInstruments(IReadOnlyList<string> targets)
{
    private readonly Counter[] _answered = [.. targets.Select(_ => new Counter())];
    private readonly Counter[] _failed = [.. targets.Select(_ => new Counter())];

    /// <summary>Attempts beyond a request's first.</summary>
    public Counter Retries { get; } = new();

    /// <summary>Second copies of slow requests.</summary>
    public Counter Hedges { get; } = new();

    /// <summary>A call ended.</summary>
    public void Ended(int target, FaultKind? fault) => (fault is null ? _answered : _failed)[target].Add();

    /// <summary>The series of the upstream.</summary>
    /// <param name="upstream">Its name.</param>
    /// <param name="waiting">Requests that wait for a target with room.</param>
    /// <param name="open">By target, whether it is left alone.</param>
    /// <param name="inFlight">By target, requests at it.</param>
    /// <param name="limit">By target, requests that it may have.</param>
    public IEnumerable<Series> Of(
        string upstream, Func<double> waiting, Func<int, double> open, Func<int, double> inFlight,
        Func<int, double> limit) =>
    [
        new(Instruments.UpstreamRetries, Retries, [upstream]),
        new(Instruments.UpstreamHedges, Hedges, [upstream]),
        new(Instruments.UpstreamWaiting, new Gauge(waiting), [upstream]),
        .. Each((i, name) => new(Instruments.UpstreamAnswered, _answered[i], [upstream, name])),
        .. Each((i, name) => new(Instruments.UpstreamFailed, _failed[i], [upstream, name])),
        .. Each((i, name) => new(Instruments.UpstreamOpen, new Gauge(() => open(i)), [upstream, name])),
        .. Each((i, name) => new(Instruments.UpstreamInFlight, new Gauge(() => inFlight(i)), [upstream, name])),
        .. Each((i, name) => new(Instruments.UpstreamLimit, new Gauge(() => limit(i)), [upstream, name])),
    ];

    private IEnumerable<Series> Each(Func<int, string, Series> of) => targets.Select((name, i) => of(i, name));
}

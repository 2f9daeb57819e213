namespace Spillway.Telemetry;

/// <summary>What is counted for one route. Thread-safe.</summary>
/// <param name="steps">Its steps' names, in their order.</param>
internal sealed class RouteInstruments(IReadOnlyList<string> steps)
{
    private readonly Counter[] _answered = [.. steps.Select(_ => new Counter())];
    private readonly Counter[] _left = [.. steps.Select(_ => new Counter())];

    /// <summary>Requests whose first step was passed over for its predicted wait.</summary>
    public Counter Avoided { get; } = new();

    /// <summary>Requests that a step answered.</summary>
    public Counter AnsweredBy(int step) => _answered[step];

    /// <summary>Requests that a step failed.</summary>
    public Counter LeftBy(int step) => _left[step];

    /// <summary>The series of the route.</summary>
    public IEnumerable<Series> Of(string route) =>
    [
        new(Instruments.RouteAvoided, Avoided, [route]),
        // Two steps may have one name: the index tells them apart.
        .. steps.Select((name, i) => new Series(Instruments.RouteAnswered, _answered[i], [route, Label(i, name)])),
        .. steps.Select((name, i) => new Series(Instruments.RouteLeft, _left[i], [route, Label(i, name)])),
    ];

    /// <summary>The series of its cache.</summary>
    /// <param name="route">The route's name.</param>
    /// <param name="results">What look-ups came to, each with how often.</param>
    /// <param name="evictions">Answers that went to make room.</param>
    /// <param name="entries">Answers there are.</param>
    /// <param name="bytes">Memory that they take.</param>
    public static IEnumerable<Series> OfCache(
        string route, IEnumerable<(string Result, Func<double> Count)> results, Func<double> evictions,
        Func<double> entries, Func<double> bytes) =>
    [
        .. results.Select(r => new Series(Instruments.CacheLookUps, new Gauge(r.Count), [route, r.Result])),
        new(Instruments.CacheEvictions, new Gauge(evictions), [route]),
        new(Instruments.CacheEntries, new Gauge(entries), [route]),
        new(Instruments.CacheBytes, new Gauge(bytes), [route]),
    ];

    private static string Label(int index, string name) => FormattableString.Invariant($"{index}:{name}");
}

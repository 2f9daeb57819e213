using Spillway.App.Load.Statistics;

namespace Spillway.App.Load.Compare;

/// <summary>Judges endpoints against each other, or against an earlier result.</summary>
/// <param name="tolerance">0.05: a change of at most 5 % does not matter.</param>
/// <param name="confidence">Of the intervals, for example 0.95.</param>
internal sealed class Comparer(double tolerance, double confidence)
{
    /// <summary>Fewer pairs than this cannot give an interval of 95 %: 1 - 2/2^6 is the first above.</summary>
    public const int PairsMin = 6;

    /// <summary>Fewer rounds on either side cannot either: 1 - 2/70.</summary>
    public const int RoundsMin = 4;

    private const string Paired = "paired rounds; median ratio with the interval of the sign test";
    private const string Apart = "independent rounds; Hodges-Lehmann ratio with the interval of the Mann-Whitney test";

    /// <summary>Rounds taken in turns: what disturbed the machine in one round disturbed both, and falls out.</summary>
    public ComparisonReport Pairs(EndpointReport endpoint, EndpointReport other) => new(
        endpoint.Name, other.Name, Paired, [.. Figure.All.Select(f => PairsOf(f, endpoint, other))
            .Where(f => f.Rounds > 0)]);

    /// <summary>An earlier result's rounds against today's.</summary>
    public ComparisonReport Earlier(EndpointReport endpoint, BaselineEndpoint earlier) => new(
        endpoint.Name, $"{earlier.Name} of {earlier.File}", Apart, [.. Figure.All.Select(f =>
        {
            var (from, to) = (earlier.Values(f.Name), Values(f, endpoint));
            return Judge(f, MedianInterval.OfRatio(from, to, confidence), null, Math.Min(from.Count, to.Count));
        }).Where(f => f.Rounds > 0)]);

    private FigureReport PairsOf(Figure figure, EndpointReport endpoint, EndpointReport other)
    {
        var ratios = endpoint.Rounds
            .Join(other.Rounds, r => r.Round, r => r.Round, (r, o) => (figure.Of(r), figure.Of(o)))
            .Where(p => p is { Item1: > 0, Item2: > 0 }).Select(p => p.Item1!.Value / p.Item2!.Value).ToList();
        return Judge(figure, MedianInterval.OfPairs(ratios, confidence),
            Spread.Of(ratios.Select(r => (double?)r))?.Median, ratios.Count);
    }

    private static List<double> Values(Figure figure, EndpointReport endpoint) =>
        [.. endpoint.Rounds.Select(figure.Of).OfType<double>().Where(v => v > 0)];

    private FigureReport Judge(Figure figure, Interval? interval, double? ratio, int rounds) =>
        interval is not { } known ? new(figure.Name, ratio, null, null, null, rounds, "open")
            : new(figure.Name, known.Middle, known.Low, known.High, known.Confidence, rounds, Verdict(figure, known));

    private string Verdict(Figure figure, Interval interval)
    {
        // Symmetric in the logarithm: twice as slow and half as fast are the same distance.
        var (most, least) = (1 + tolerance, 1 / (1 + tolerance));
        if (interval.Low > most)
            return figure.HigherIsBetter ? "better" : "worse";
        if (interval.High < least)
            return figure.HigherIsBetter ? "worse" : "better";
        return interval.Low >= least && interval.High <= most ? "within" : "open";
    }
}

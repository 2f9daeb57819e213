namespace Spillway.Policies.Scaling;

/// <summary>Foretells a series, step by step. Pure; one owner.</summary>
internal interface IPredictor
{
    /// <summary>For reasons and reports.</summary>
    string Name { get; }

    /// <summary>The value <paramref name="steps"/> after the newest one; NaN until it can tell.</summary>
    /// <param name="steps">1 or more.</param>
    double Ahead(int steps);

    /// <summary>Learns the next value.</summary>
    void Add(double value);
}

/// <summary>Tomorrow is as today: what every predictor must beat.</summary>
internal sealed class LastValue : IPredictor
{
    private double _last = double.NaN;

    /// <inheritdoc/>
    public string Name => "last value";

    /// <inheritdoc/>
    public double Ahead(int steps) => _last;

    /// <inheritdoc/>
    public void Add(double value) => _last = value;
}

/// <summary>As a season ago.</summary>
/// <param name="season">Steps of a season; at least 1.</param>
internal sealed class NaiveSeason(int season) : IPredictor
{
    private readonly double[] _ring = new double[season];
    private long _count;

    /// <inheritdoc/>
    public string Name => "a season ago";

    /// <inheritdoc/>
    public double Ahead(int steps) =>
        _count < season ? double.NaN : _ring[(_count + ((steps - 1) % season)) % season];

    /// <inheritdoc/>
    public void Add(double value) => _ring[_count++ % season] = value;
}

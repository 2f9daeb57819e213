namespace Spillway.Policies.Scaling;

/// <summary>
/// The mean of a figure over the last while. Each sample stands for the time since the one before it, as the
/// observations of scaling policies do. Holds at most <see cref="Max"/> samples.
/// </summary>
/// <param name="window">How far back it reaches; above zero.</param>
internal sealed class WindowMean(TimeSpan window)
{
    /// <summary>Ten minutes of ten samples a second.</summary>
    public const int Max = 6000;

    private readonly Queue<(Instant From, Instant To, double Value)> _samples = new();
    private Instant _last = Instant.Never;

    /// <summary>A figure that held since the last sample; one that is not a number is left out.</summary>
    public void Add(double value, Instant now)
    {
        var from = _last == Instant.Never ? now : _last;
        _last = now;
        if (double.IsNaN(value))
            return;
        if (_samples.Count == Max)
            _samples.Dequeue();
        _samples.Enqueue((from, now, value));
    }

    /// <summary>The mean within the window, by time; of a first sample, itself; NaN without any.</summary>
    public double At(Instant now)
    {
        var begin = now - window;
        while (_samples.TryPeek(out var oldest) && oldest.To <= begin && _samples.Count > 1)
            _samples.Dequeue();
        var (sum, span, last) = (0.0, 0.0, double.NaN);
        foreach (var (from, to, value) in _samples)
        {
            var length = (double)(to.Ticks - Math.Max(from.Ticks, begin.Ticks));
            last = value;
            if (length <= 0)
                continue;
            sum += value * length;
            span += length;
        }

        return span > 0 ? sum / span : last;
    }
}

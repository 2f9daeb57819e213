namespace Spillway.App.Load.Search;

/// <summary>Why a step is run.</summary>
internal enum StepKind : byte
{
    /// <summary>Doubling until a rate breaks, or halving until one holds.</summary>
    Bracket,

    /// <summary>Halving the distance between the two, in logarithms.</summary>
    Bisect,

    /// <summary>A fresh, longer run at the rate that was found: its confidence is that of the result.</summary>
    Confirm,
}

/// <summary>
/// Finds the highest rate that holds, pure: ask for <see cref="Next"/>, run it, tell <see cref="Observe"/>. Doubling
/// (or halving) brackets it, bisection narrows it, a fresh run confirms it, because the best of many looks is flattered
/// by chance; a rate that is not confirmed gives way to one a resolution lower. A step that shows nothing counts as
/// broken: the rate must prove itself.
/// </summary>
/// <param name="firstRate">Where to begin, requests per second.</param>
/// <param name="resolution">0.05: end when the two rates are 5 % apart.</param>
/// <param name="lowest">Below it a step cannot hold, however good the server: it has too few requests.</param>
internal sealed class MaxRateSearch(double firstRate, double resolution, double lowest = MaxRateSearch.RateMin)
{
    public const double RateMin = 0.01;
    public const double RateMax = 1e6;

    private const int ConfirmationsMax = 5;

    private double? _holds;
    private double? _broken;
    private int _confirmations;

    /// <summary>The next rate to run; null when the search is over.</summary>
    public (double Rate, StepKind Kind)? Next()
    {
        if (Confirmed || Ended)
            return null;
        if (_holds is { } low && _broken is { } high)
            return high / low > 1 + resolution && _confirmations == 0
                ? (Math.Sqrt(low * high), StepKind.Bisect) : (low, StepKind.Confirm);
        if (_holds is { } only)
            return only < RateMax ? (Math.Min(only * 2, RateMax), StepKind.Bracket) : (only, StepKind.Confirm);
        return (_broken / 2 ?? firstRate, StepKind.Bracket);
    }

    /// <summary>The highest rate that holds so far; null: none.</summary>
    public double? Rate => _holds;

    /// <summary>The lowest rate that does not; null: none.</summary>
    public double? Broken => _broken;

    /// <summary>Whether <see cref="Rate"/> held in a fresh run as well.</summary>
    public bool Confirmed { get; private set; }

    private bool Ended { get; set; }

    public void Observe(double rate, StepKind kind, Verdict verdict)
    {
        var held = verdict == Verdict.Holds;
        if (kind == StepKind.Confirm)
        {
            Confirm(rate, held);
            return;
        }

        if (held)
            _holds = Math.Max(_holds ?? 0, rate);
        else
            _broken = Math.Min(_broken ?? double.MaxValue, rate);
        Ended |= !held && rate / 2 < lowest;
    }

    /// <summary>Nothing above <paramref name="rate"/> can be offered: what held so far is to be confirmed.</summary>
    public void Cap(double rate)
    {
        var next = _holds is { } held ? held * (1 + resolution) : rate;
        _broken = Math.Min(_broken ?? double.MaxValue, Math.Min(rate, next));
    }

    private void Confirm(double rate, bool held)
    {
        Confirmed = held;
        if (held)
            return;
        _broken = rate;
        _holds = rate / (1 + resolution);
        if (++_confirmations == ConfirmationsMax)
            (_holds, Ended) = (null, true);
    }
}

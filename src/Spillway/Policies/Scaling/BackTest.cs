namespace Spillway.Policies.Scaling;

/// <summary>
/// Runs predictors beside each other over one series and keeps how wrong each was lately, at one horizon. No predictor
/// wins on every series, so the one that was best on this one is asked. They are compared over the same steps.
/// </summary>
internal sealed class BackTest
{
    /// <summary>Fewer forecasts than this say nothing about a predictor.</summary>
    public const int JudgedMin = 12;

    private readonly IPredictor[] _predictors;
    private readonly Queue<double>[] _pending;
    private readonly List<double>[] _errors;
    private readonly List<double> _values = [];
    private readonly int _steps;

    /// <summary>Nothing seen.</summary>
    /// <param name="predictors">In the order of preference where they are equally good.</param>
    /// <param name="horizon">Steps ahead; at least 1.</param>
    /// <param name="steps">Over how many last steps they are compared.</param>
    public BackTest(IReadOnlyList<IPredictor> predictors, int horizon, int steps)
    {
        (_predictors, _steps, Horizon) = ([.. predictors], steps, horizon);
        _pending = [.. predictors.Select(_ => new Queue<double>())];
        _errors = [.. predictors.Select(_ => new List<double>())];
    }

    /// <summary>Steps ahead.</summary>
    public int Horizon { get; }

    /// <summary>
    /// The weighted absolute error of a predictor over the last <paramref name="count"/> steps: the sum of its errors
    /// by the sum of the values. Infinite where it has not foretold so many.
    /// </summary>
    public double Error(int predictor, int count)
    {
        var errors = _errors[predictor];
        if (errors.Count < count || count == 0)
            return double.PositiveInfinity;
        var sum = _values.Skip(_values.Count - count).Sum(Math.Abs);
        return sum > 0 ? errors.Skip(errors.Count - count).Sum() / sum : 0;
    }

    /// <summary>
    /// The best one and its error, over the steps that all which can tell have foretold; null for none.
    /// </summary>
    public (IPredictor Predictor, double Error)? Best()
    {
        var able = Enumerable.Range(0, _predictors.Length)
            .Where(at => _errors[at].Count >= Math.Min(JudgedMin, _steps)).ToList();
        if (able.Count == 0)
            return null;
        var common = able.Min(at => _errors[at].Count);
        var best = able.MinBy(at => Error(at, common));
        return (_predictors[best], Error(best, common));
    }

    /// <summary>The next value of the series.</summary>
    public void Add(double value)
    {
        Keep(_values, value);
        for (var at = 0; at < _predictors.Length; at++)
        {
            if (_pending[at].Count == Horizon && _pending[at].Dequeue() is var told && !double.IsNaN(told))
                Keep(_errors[at], Math.Abs(told - value));
            _predictors[at].Add(value);
            _pending[at].Enqueue(_predictors[at].Ahead(Horizon));
        }
    }

    private void Keep(List<double> list, double value)
    {
        if (list.Count == _steps)
            list.RemoveAt(0);
        list.Add(value);
    }
}

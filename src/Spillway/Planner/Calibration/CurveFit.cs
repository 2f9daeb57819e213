using System.Globalization;
using Spillway.Planner.Plans;

namespace Spillway.Planner.Calibration;

/// <summary>A fitted batch curve.</summary>
/// <param name="Points">Rows ascending.</param>
/// <param name="Spread">Half the range in which nine of ten runs lie, as a part of their time.</param>
internal sealed record FittedCurve(IReadOnlyList<CurvePointOptions> Points, double Spread)
{
    /// <summary>The even spread of which nine of ten runs lie in that range.</summary>
    public double RunSpread => Math.Round(Math.Min(0.9, Spread / 0.9), 3);
}

/// <summary>
/// Fits a batch curve to runs: for each number of rows the median time of a run. Medians, because a pause of the
/// machine must not move a point. A number of rows that was seen too seldom is no point of the curve; what lies between
/// two points is taken as a line by whoever reads it.
/// </summary>
internal static class CurveFit
{
    /// <summary>Runs that a point needs: below that a median is somebody's opinion.</summary>
    private const int RunsMin = 5;

    /// <summary>The most that a plan takes: nobody waits for it.</summary>
    private const int OverlapMax = 100_000;

    /// <summary>Fits; a fault where no number of rows was seen often enough.</summary>
    /// <param name="answers">With times of runs.</param>
    public static Outcome<FittedCurve> Fit(IReadOnlyList<RecordedAnswer> answers)
    {
        var typical = TypicalElements(answers);
        List<CurvePointOptions> points = [];
        List<double> ratios = [];
        foreach (var group in answers.Where(a => a.ExecuteMs > 0).GroupBy(a => a.Rows).OrderBy(g => g.Key))
        {
            // Every request of a run says the same of it.
            var runs = group.Sum(a => 1.0 / a.Requests);
            double[] times = [.. group.Select(a => a.ExecuteMs!.Value / SizeOf(a, typical)).Order()];
            if (runs < RunsMin - 1e-9)
                continue;
            var median = times[times.Length / 2];
            points.Add(new() { Rows = group.Key, Ms = Math.Round(median, 4) });
            ratios.AddRange(times.Select(t => t / median));
        }

        if (points.Count == 0)
            return Fault.Invalid(string.Create(CultureInfo.InvariantCulture,
                $"No number of rows was run {RunsMin} times before the held-out part: {answers.Count} requests are "
                + $"recorded, {answers.Count(a => a.ExecuteMs > 0)} of them with a run. Use a longer record, with "
                + $"execute_ms and batch_rows in it."));
        ratios.Sort();
        var spread = (ratios[(int)(0.95 * (ratios.Count - 1))] - ratios[(int)(0.05 * (ratios.Count - 1))]) / 2;
        return new FittedCurve(points, Math.Round(Math.Min(0.9, spread), 3));
    }

    /// <summary>
    /// The server's own work on a request, beside its wait and its run; null where the record has no stages. The part of
    /// a thousand that took longest is left out: pauses of the machine are not the server's work. The stages of requests
    /// that are under way together overlap, so what they take is a time and no queue.
    /// </summary>
    /// <param name="answers">With their stages.</param>
    public static BeforeOptions? Own(IReadOnlyList<RecordedAnswer> answers)
    {
        double[] all = [.. answers.Where(a => a.OwnMs > 0).Select(a => a.OwnMs!.Value).Order()];
        if (all.Length < RunsMin)
            return null;
        all = all[..(int)Math.Ceiling(all.Length * 0.999)];
        var mean = all.Average();
        var deviation = Math.Sqrt(all.Average(ms => (ms - mean) * (ms - mean)));
        return new()
        {
            Ms = Math.Max(0.0001, Math.Round(mean, 4)), Variation = Math.Round(Math.Min(20, deviation / mean), 3),
            AtOnce = OverlapMax,
        };
    }

    /// <summary>What the curve tells of the runs of a record.</summary>
    /// <param name="curve">The curve.</param>
    /// <param name="answers">Those that it was not fitted to.</param>
    /// <param name="typical">Elements of a row that the curve was fitted at.</param>
    public static IEnumerable<HeldOutOptions> Errors(
        FittedCurve curve, IReadOnlyList<RecordedAnswer> answers, double? typical)
    {
        BatchPoint[] points = [.. curve.Points.Select(p => new BatchPoint(p.Rows, TimeSpan.FromMilliseconds(p.Ms)))];
        List<(int Rows, double Seen, double Told)> runs = [.. answers.Where(a => a.ExecuteMs > 0).Select(a => (a.Rows,
            a.ExecuteMs!.Value,
            BatchPoint.TicksAt(points, a.Rows) / TimeSpan.TicksPerMillisecond * SizeOf(a, typical)))];
        if (runs.Count == 0)
            yield break;
        foreach (var group in runs.GroupBy(r => r.Rows).OrderBy(g => g.Key))
        {
            yield return new()
            {
                What = string.Create(CultureInfo.InvariantCulture, $"run of {group.Key} rows, median"),
                Measured = Median(group.Select(r => r.Seen)), Told = Median(group.Select(r => r.Told)), Unit = "ms",
            };
        }

        yield return new()
        {
            What = "all runs, mean", Measured = Math.Round(runs.Average(r => r.Seen), 4),
            Told = Math.Round(runs.Average(r => r.Told), 4), Unit = "ms",
        };
        yield return new()
        {
            What = "all runs, p95", Measured = At95(runs.Select(r => r.Seen)),
            Told = At95(runs.SelectMany(r => Around(r.Told, curve.RunSpread))), Unit = "ms",
        };
    }

    /// <summary>The median elements of a row; null where the record does not say.</summary>
    public static double? TypicalElements(IReadOnlyList<RecordedAnswer> answers)
    {
        double[] all = [.. answers.Where(a => a.Elements > 0).Select(a => a.Elements!.Value).Order()];
        return all.Length == 0 ? null : all[all.Length / 2];
    }

    /// <summary>
    /// How many times as large as the typical one it is. Of a run of several requests a record knows only its own
    /// elements, so such a run is taken as typical.
    /// </summary>
    public static double SizeOf(in RecordedAnswer answer, double? typical) =>
        typical is { } usual && answer is { Elements: > 0 and { } own, Requests: 1 } ? own / usual : 1;

    /// <summary>The times of like runs, evenly over the spread that the fit has found.</summary>
    private static IEnumerable<double> Around(double time, double spread)
    {
        const int Parts = 10;
        for (var i = 0; i < Parts; i++)
            yield return time * (1 + (spread * (((2 * i) + 1.0 - Parts) / Parts)));
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return Math.Round(sorted[sorted.Length / 2], 4);
    }

    private static double At95(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return Math.Round(sorted[(int)Math.Min(sorted.Length - 1, Math.Ceiling(0.95 * sorted.Length) - 1)], 4);
    }
}

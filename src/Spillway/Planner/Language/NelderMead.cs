namespace Spillway.Planner.Language;

/// <summary>
/// Finds a minimum of a function without its slopes, from a first guess. Deterministic.
/// </summary>
/// <remarks>J. Nelder, R. Mead, "A simplex method for function minimization" (1965).</remarks>
internal static class NelderMead
{
    /// <summary>The point of the least value that was found.</summary>
    /// <param name="function">What is minimised.</param>
    /// <param name="start">The first guess.</param>
    /// <param name="step">How far the first simplex reaches, for each dimension.</param>
    /// <param name="rounds">How often the simplex moves, at most.</param>
    public static double[] Minimum(Func<double[], double> function, double[] start, double[] step, int rounds)
    {
        var corners = new List<(double[] At, double Value)> { (start, function(start)) };
        for (var d = 0; d < start.Length; d++)
        {
            var corner = (double[])start.Clone();
            corner[d] += step[d];
            corners.Add((corner, function(corner)));
        }

        for (var round = 0; round < rounds; round++)
        {
            corners.Sort((a, b) => a.Value.CompareTo(b.Value));
            if (corners[^1].Value - corners[0].Value < 1e-9 * (1 + Math.Abs(corners[0].Value)))
                break;
            Move(corners, function);
        }

        return corners.MinBy(corner => corner.Value).At;
    }

    private static void Move(List<(double[] At, double Value)> corners, Func<double[], double> function)
    {
        var worst = corners[^1];
        var centre = new double[worst.At.Length];
        for (var d = 0; d < centre.Length; d++)
            centre[d] = corners.Take(corners.Count - 1).Average(corner => corner.At[d]);

        (double[] At, double Value) Along(double by)
        {
            var at = centre.Select((c, d) => c + (by * (worst.At[d] - c))).ToArray();
            return (at, function(at));
        }

        var reflected = Along(-1);
        if (reflected.Value < corners[0].Value)
        {
            var expanded = Along(-2);
            corners[^1] = expanded.Value < reflected.Value ? expanded : reflected;
        }
        else if (reflected.Value < corners[^2].Value)
            corners[^1] = reflected;
        else if (Along(reflected.Value < worst.Value ? -0.5 : 0.5) is var inner
            && inner.Value < Math.Min(worst.Value, reflected.Value))
            corners[^1] = inner;
        else
            Shrink(corners, function);
    }

    private static void Shrink(List<(double[] At, double Value)> corners, Func<double[], double> function)
    {
        var best = corners[0].At;
        for (var at = 1; at < corners.Count; at++)
        {
            var nearer = corners[at].At.Select((c, d) => (c + best[d]) / 2).ToArray();
            corners[at] = (nearer, function(nearer));
        }
    }
}

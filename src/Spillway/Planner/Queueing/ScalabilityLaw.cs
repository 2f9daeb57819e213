namespace Spillway.Planner.Queueing;

/// <summary>
/// The Universal Scalability Law: how much more many do than one, when they wait for each other and must agree with
/// each other.
/// </summary>
/// <remarks>N. Gunther, "Guerrilla capacity planning" (2007). With no coherence it is Amdahl's law.</remarks>
/// <param name="Contention">Sigma, the serial part; 0 to 1.</param>
/// <param name="Coherence">Kappa, what each pair costs; 0 or more.</param>
internal readonly record struct ScalabilityLaw(double Contention, double Coherence)
{
    /// <summary>From how many on more do less; infinite without coherence.</summary>
    public double Best => Coherence > 0 ? Math.Sqrt((1 - Contention) / Coherence) : double.PositiveInfinity;

    /// <summary>As many times the work of one.</summary>
    /// <param name="count">How many; 1 or more.</param>
    public double Speedup(double count) =>
        count / (1 + (Contention * (count - 1)) + (Coherence * count * (count - 1)));

    /// <summary>
    /// Fits both constants to measured speed-ups by least squares of n / speed-up - 1, which is linear in them.
    /// </summary>
    /// <param name="points">How many, and their work as a multiple of one's; at least two with more than one.</param>
    public static Outcome<ScalabilityLaw> Fit(IReadOnlyList<(double Count, double Speedup)> points)
    {
        var used = points.Where(p => p is { Count: > 1, Speedup: > 0 }).ToList();
        if (used.Count < 2)
            return Fault.Invalid("The scalability law has two constants and needs two measurements with more than one; "
                + $"{used.Count} were given.");
        var (aa, ab, bb, ay, by) = (0.0, 0.0, 0.0, 0.0, 0.0);
        foreach (var (count, speedup) in used)
        {
            var (a, b, y) = (count - 1, count * (count - 1), (count / speedup) - 1);
            (aa, ab, bb, ay, by) = (aa + (a * a), ab + (a * b), bb + (b * b), ay + (a * y), by + (b * y));
        }

        var determinant = (aa * bb) - (ab * ab);
        return determinant <= 1e-12 * aa * bb
            ? Fault.Invalid("The scalability law needs measurements at two different numbers above one.")
            : new ScalabilityLaw(
                Math.Max(0, ((ay * bb) - (by * ab)) / determinant), Math.Max(0, ((aa * by) - (ab * ay)) / determinant));
    }
}

using System.Numerics;

namespace Spillway.Planner;

/// <summary>
/// Seeded chance: xoshiro256** (Blackman and Vigna, 2018), seeded by SplitMix64. The same seed gives the same numbers
/// on every machine and in every version of the runtime, which reports that are compared byte by byte need. One owner.
/// </summary>
public sealed class Chance
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    /// <summary>A stream of numbers.</summary>
    /// <param name="seed">Of the whole plan.</param>
    /// <param name="stream">What it decides, as "workload chat in eu": streams of other names are independent.</param>
    public Chance(long seed, string stream)
    {
        var state = (ulong)seed;
        // FNV-1a of the name: string.GetHashCode differs from process to process.
        var hash = 14695981039346656037UL;
        foreach (var c in stream)
            hash = (hash ^ c) * 1099511628211UL;
        state ^= hash;
        (_a, _b, _c, _d) = (Split(ref state), Split(ref state), Split(ref state), Split(ref state));
    }

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double Next() => (Bits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Exponential with mean 1: gaps of a Poisson process.</summary>
    public double Exponential() => -Math.Log(1 - Next());

    /// <summary>Standard normal, by Box and Muller; one number a call, so that streams stay aligned.</summary>
    public double Normal() => Math.Sqrt(2 * Exponential()) * Math.Cos(2 * Math.PI * Next());

    /// <summary>Lognormal by its own mean and coefficient of variation; a variation of 0 is the mean itself.</summary>
    /// <param name="mean">Above 0.</param>
    /// <param name="variation">Standard deviation over mean, from 0.</param>
    public double LogNormal(double mean, double variation)
    {
        if (variation <= 0)
            return mean;
        var variance = Math.Log(1 + (variation * variation));
        return mean * Math.Exp((Normal() * Math.Sqrt(variance)) - (variance / 2));
    }

    private static ulong Split(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15UL;
        var z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    private ulong Bits()
    {
        var result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        var t = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= t;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }
}

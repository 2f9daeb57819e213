using System.Buffers;

namespace Spillway.Transforms.Picture;

/// <summary>
/// Which source samples each target sample of one axis is made of, and how much of each. Up to a scale of 2 it is
/// linear interpolation with half-pixel centres (sample i of n lies at (i + 0.5) / n), clamped at the edges, as
/// cv2.resize does for INTER_LINEAR. Beyond 2 that would skip samples, and thin strokes with them, so each target
/// sample is the mean of the source it covers, as INTER_AREA. The arrays are pooled: at most target x (scale + 2)
/// weights.
/// </summary>
internal readonly struct ResizeTaps : IDisposable
{
    private const double AreaAbove = 2;

    private readonly int[] _first;
    private readonly int[] _count;
    private readonly float[] _weights;
    private readonly int _most;

    /// <summary>Both lengths at least 1.</summary>
    public ResizeTaps(int source, int target)
    {
        var scale = source / (double)target;
        IsArea = scale > AreaAbove;
        IsIdentity = source == target;
        _most = IsArea ? (int)Math.Ceiling(scale) + 1 : 2;
        _first = ArrayPool<int>.Shared.Rent(target);
        _count = ArrayPool<int>.Shared.Rent(target);
        _weights = ArrayPool<float>.Shared.Rent(target * _most);
        for (var i = 0; i < target; i++)
        {
            var weights = _weights.AsSpan(i * _most, _most);
            (_first[i], _count[i]) = IsArea ? Cover(i, scale, source, weights) : Between(i, scale, source, weights);
        }
    }

    /// <summary>
    /// True when target samples are means over an area, false when they lie between two source samples.
    /// </summary>
    public bool IsArea { get; }

    /// <summary>True when the lengths are equal: each sample is its own.</summary>
    public bool IsIdentity { get; }

    /// <summary>The first source sample of a target sample.</summary>
    public int First(int target) => _first[target];

    /// <summary>Weights of the source samples from <see cref="First"/> on; their sum is 1.</summary>
    public ReadOnlySpan<float> Weights(int target) => _weights.AsSpan(target * _most, _count[target]);

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<int>.Shared.Return(_first);
        ArrayPool<int>.Shared.Return(_count);
        ArrayPool<float>.Shared.Return(_weights);
    }

    private static (int First, int Count) Between(int i, double scale, int source, Span<float> weights)
    {
        var at = Math.Clamp(((i + 0.5) * scale) - 0.5, 0, source - 1);
        var first = (int)at;
        var fraction = (float)(at - first);
        (weights[0], weights[1]) = (1 - fraction, fraction);
        return (first, fraction == 0 ? 1 : 2);
    }

    private static (int First, int Count) Cover(int i, double scale, int source, Span<float> weights)
    {
        var (from, to) = (i * scale, Math.Min((i + 1) * scale, source));
        var first = (int)from;

        // The slack keeps a rounding error of the product from adding a sample of weight nil.
        var count = Math.Clamp((int)Math.Ceiling(to - 1e-9), first + 1, source) - first;
        for (var k = 0; k < count; k++)
        {
            var share = Math.Min(to, first + k + 1) - Math.Max(from, first + k);
            weights[k] = (float)(share / (to - from));
        }

        return (first, count);
    }
}

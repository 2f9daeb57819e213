using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Spillway;

/// <summary>
/// A tensor's dimensions, up to <see cref="RankMax"/>, held inline so that a request allocates nothing for them.
/// </summary>
public struct Shape : IEquatable<Shape>
{
    /// <summary>The most dimensions a tensor may have. ONNX models in the wild stay below 7.</summary>
    public const int RankMax = 8;

    private Slots _dims;
    private int _rank;

    /// <summary>Takes up to <see cref="RankMax"/> dimensions.</summary>
    public Shape(ReadOnlySpan<long> dims)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dims.Length, RankMax);
        _rank = dims.Length;
        dims.CopyTo(_dims);
    }

    /// <summary>How many dimensions.</summary>
    public readonly int Rank => _rank;

    /// <summary>Reads or sets one dimension.</summary>
    public long this[int index]
    {
        readonly get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_rank);
            return _dims[index];
        }

        set
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_rank);
            _dims[index] = value;
        }
    }

    /// <summary>The dimensions, valid while this variable lives.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<long> Dims => ((ReadOnlySpan<long>)_dims)[.._rank];

    /// <summary>Appends a dimension; false when <see cref="RankMax"/> is reached.</summary>
    public bool TryAdd(long dim)
    {
        if (_rank == RankMax)
            return false;
        _dims[_rank++] = dim;
        return true;
    }

    /// <summary>
    /// The product of the dimensions (1 for a scalar); false when one is negative or the product overflows.
    /// </summary>
    public readonly bool TryCount(out long count)
    {
        count = 1;
        for (var i = 0; i < _rank; i++)
        {
            if (_dims[i] < 0 || (_dims[i] > 0 && count > long.MaxValue / _dims[i]))
                return false;
            count *= _dims[i];
        }

        return true;
    }

    /// <inheritdoc/>
    public readonly bool Equals(Shape other) => Dims.SequenceEqual(other.Dims);

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var dim in Dims)
            hash.Add(dim);
        return hash.ToHashCode();
    }

    /// <summary>Same dimensions.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Different dimensions.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>As the protocol's error texts write it: "[1,3,48,320]".</summary>
    public override readonly string ToString() => $"[{string.Join(',', Dims.ToArray())}]";

    [InlineArray(RankMax)]
    private struct Slots
    {
        private long _first;
    }
}

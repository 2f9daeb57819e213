namespace Spillway.Runtimes.Onnx;

/// <summary>
/// Copies rows into a longer tensor and out of it again. Pure; the caller has checked every length. A tensor is seen as
/// blocks of [length, inner bytes], one after the other.
/// </summary>
internal static class PaddedRows
{
    /// <summary>Copies a tensor into one that is longer along an axis; what is left of each block is filled.</summary>
    /// <param name="data">The tensor's bytes, exactly as many as its shape needs.</param>
    /// <param name="own">Its shape.</param>
    /// <param name="axis">The length, from 1.</param>
    /// <param name="length">At least its own.</param>
    /// <param name="value">One element of padding.</param>
    /// <param name="target">At least as long as the padded tensor.</param>
    /// <returns>The bytes written.</returns>
    public static int Pad(
        ReadOnlySpan<byte> data, in Shape own, int axis, long length, ReadOnlySpan<byte> value, Span<byte> target)
    {
        var inner = Inner(own, axis, value.Length);
        var (from, to) = (checked((int)(own[axis] * inner)), checked((int)(length * inner)));
        if (from == to)
        {
            data.CopyTo(target);
            return data.Length;
        }

        var at = 0;
        for (var blocks = Blocks(own, axis); blocks > 0; blocks--, at += to)
        {
            data[..from].CopyTo(target[at..]);
            Fill(target[(at + from)..(at + to)], value);
            data = data[from..];
        }

        return at;
    }

    /// <summary>Copies the first positions of each block of a tensor.</summary>
    /// <param name="data">The tensor's bytes.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="axis">The dimension to cut.</param>
    /// <param name="keep">Positions to keep, at most what it has.</param>
    /// <param name="size">Bytes of one element.</param>
    /// <param name="target">At least as long as the cut tensor.</param>
    public static void Cut(ReadOnlySpan<byte> data, in Shape shape, int axis, long keep, int size, Span<byte> target)
    {
        var inner = Inner(shape, axis, size);
        var (from, to) = ((int)(shape[axis] * inner), (int)(keep * inner));
        for (var blocks = Blocks(shape, axis); blocks > 0; blocks--)
        {
            data[..to].CopyTo(target);
            data = data[from..];
            target = target[to..];
        }
    }

    /// <summary>Rows of ones up to the own length and zeros behind it.</summary>
    /// <returns>The bytes written.</returns>
    public static int Mask(long rows, long own, long length, ReadOnlySpan<byte> one, Span<byte> target)
    {
        var (real, whole) = (checked((int)(own * one.Length)), checked((int)(length * one.Length)));
        for (var row = 0; row < rows; row++, target = target[whole..])
        {
            Fill(target[..real], one);
            target[real..whole].Clear();
        }

        return (int)(rows * whole);
    }

    /// <summary>How many blocks a tensor has: the product of the dimensions before the axis.</summary>
    public static long Blocks(in Shape shape, int axis)
    {
        var blocks = 1L;
        foreach (var dim in shape.Dims[..axis])
            blocks *= dim;
        return blocks;
    }

    private static long Inner(in Shape shape, int axis, int size)
    {
        var inner = (long)size;
        foreach (var dim in shape.Dims[(axis + 1)..])
            inner *= dim;
        return inner;
    }

    /// <summary>Repeats one element; zeros, the usual padding, at the speed of the memory.</summary>
    private static void Fill(Span<byte> target, ReadOnlySpan<byte> value)
    {
        if (!value.ContainsAnyExcept((byte)0))
        {
            target.Clear();
            return;
        }

        if (target.IsEmpty)
            return;
        value.CopyTo(target);
        for (var done = value.Length; done < target.Length; done *= 2)
            target[..Math.Min(done, target.Length - done)].CopyTo(target[done..]);
    }
}

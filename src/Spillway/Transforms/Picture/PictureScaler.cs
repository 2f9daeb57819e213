using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace Spillway.Transforms.Picture;

/// <summary>
/// Takes a picture's rows from top to bottom and writes the scaled, normalised planes of a tensor. Both axes are scaled
/// separately: down the rows first, where whole rows are added at once, then along the few rows that remain. Holds
/// three source rows. <see cref="Dispose"/> returns them to their pool.
/// </summary>
internal readonly ref struct PictureScaler : IDisposable
{
    // A pixel of three samples is read as four; the fourth of the last pixel is never used.
    private const int Slack = 1;

    private readonly PixelRow _pixels;
    private readonly ResizeTaps _down;
    private readonly ResizeTaps _along;
    private readonly float[] _rows;
    private readonly int _line;
    private readonly PictureLayout _layout;
    private readonly Span<float> _tensor;

    /// <summary>Writes to the tensor float32 [planes, height, width] that the layout describes.</summary>
    public PictureScaler(in PngHeader header, in PixelRow pixels, in PictureLayout layout, Span<float> tensor)
    {
        _pixels = pixels;
        _layout = layout;
        _tensor = tensor;
        _down = new ResizeTaps(header.Height, layout.Height);
        _along = new ResizeTaps(header.Width, layout.Filled);
        _line = header.Width * pixels.Samples;
        _rows = ArrayPool<float>.Shared.Rent(3 * (_line + Slack));
    }

    /// <summary>
    /// Adds every row that the source gives. Null, or the source's fault; the tensor is then half written.
    /// </summary>
    public Fault? Run(PngRows source, int height)
    {
        var length = _line + Slack;
        var before = _rows.AsSpan(0, length);
        var current = _rows.AsSpan(length, length);
        var mixed = _rows.AsSpan(2 * length, length);
        var next = 0;
        for (var y = 0; y < height; y++)
        {
            if (source.Next(out var bytes) is { } fault)
                return fault;
            _pixels.Flatten(bytes, current[.._line]);
            next = _down.IsArea ? Gather(y, next, current, mixed) : Blend(y, next, before, current, mixed);
            var spare = before;
            before = current;
            current = spare;
        }

        return source.End();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _down.Dispose();
        _along.Dispose();
        ArrayPool<float>.Shared.Return(_rows);
    }

    /// <summary>Writes every target row whose last source row is y: between it and the one before.</summary>
    private int Blend(int y, int next, ReadOnlySpan<float> before, ReadOnlySpan<float> current, Span<float> mixed)
    {
        for (; next < _layout.Height; next++)
        {
            var weights = _down.Weights(next);
            if (_down.First(next) + weights.Length - 1 != y)
                break;
            if (weights.Length == 1)
            {
                Write(current, next);
                continue;
            }

            TensorPrimitives.Lerp(before, current, weights[1], mixed);
            Write(mixed, next);
        }

        return next;
    }

    /// <summary>Adds row y to the mean it belongs to; a row on the border of two belongs to both.</summary>
    private int Gather(int y, int next, ReadOnlySpan<float> current, Span<float> mean)
    {
        for (; next < _layout.Height; next++)
        {
            var first = _down.First(next);
            if (y < first)
                break;
            var weights = _down.Weights(next);
            if (y == first)
                TensorPrimitives.Multiply(current, weights[0], mean);
            else
                TensorPrimitives.MultiplyAdd(current, weights[y - first], mean, mean);
            if (y < first + weights.Length - 1)
                break;
            Write(mean, next);
        }

        return next;
    }

    private void Write(ReadOnlySpan<float> line, int row)
    {
        var first = Plane(0, row);
        if (_pixels.Samples == 1)
        {
            if (_along.IsIdentity)
                line[.._line].CopyTo(first);
            else
                AlongGrey(line, first[.._layout.Filled]);
            Finish(first);
            for (var plane = 1; plane < _layout.Planes; plane++)
                first.CopyTo(Plane(plane, row));
            return;
        }

        var red = _layout.BlueFirst ? Plane(2, row) : first;
        var green = Plane(1, row);
        var blue = _layout.BlueFirst ? first : Plane(2, row);
        if (_along.IsIdentity)
            Split(line[.._line], red, green, blue);
        else
            AlongColour(line, red[.._layout.Filled], green, blue);
        Finish(red);
        Finish(green);
        Finish(blue);
    }

    /// <summary>One row of one plane: the scaled picture, then padding.</summary>
    private Span<float> Plane(int plane, int row) =>
        _tensor.Slice(((plane * _layout.Height) + row) * _layout.Width, _layout.Width);

    private void Finish(Span<float> row)
    {
        var picture = row[.._layout.Filled];
        TensorPrimitives.Multiply(picture, _layout.Scale, picture);
        TensorPrimitives.Add(picture, _layout.Offset, picture);
        row[_layout.Filled..].Clear();
    }

    private static void Split(ReadOnlySpan<float> line, Span<float> red, Span<float> green, Span<float> blue)
    {
        for (var x = 0; line.Length >= 3; x++)
        {
            blue[x] = line[2];
            green[x] = line[1];
            red[x] = line[0];
            line = line[3..];
        }
    }

    private void AlongGrey(ReadOnlySpan<float> line, Span<float> target)
    {
        // Copied to the stack, where the compiler sees that nothing changes it between two pixels.
        var along = _along;
        for (var x = 0; x < target.Length; x++)
        {
            var at = along.First(x);
            var weights = along.Weights(x);
            var sum = line[at] * weights[0];
            for (var k = 1; k < weights.Length; k++)
                sum += line[at + k] * weights[k];
            target[x] = sum;
        }
    }

    private void AlongColour(ReadOnlySpan<float> line, Span<float> red, Span<float> green, Span<float> blue)
    {
        var along = _along;
        green = green[..red.Length];
        blue = blue[..red.Length];
        for (var x = 0; x < red.Length; x++)
        {
            var at = along.First(x) * 3;
            var weights = along.Weights(x);
            var sum = Vector128.Create(line.Slice(at, 4)) * weights[0];
            for (var k = 1; k < weights.Length; k++)
                sum += Vector128.Create(line.Slice(at + (k * 3), 4)) * weights[k];
            red[x] = sum.GetElement(0);
            green[x] = sum.GetElement(1);
            blue[x] = sum.GetElement(2);
        }
    }
}

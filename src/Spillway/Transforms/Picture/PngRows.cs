using System.Buffers;
using System.IO.Compression;
using static Spillway.Transforms.Picture.PictureFault;

namespace Spillway.Transforms.Picture;

/// <summary>
/// Inflates and unfilters a PNG's rows one after the other. Holds a block of about 32 KB and one row, never the
/// picture, and never inflates more than the header declares plus one byte, whatever the data would unfold to.
/// One thread; <see cref="Dispose"/> returns the buffer to its pool.
/// </summary>
internal sealed class PngRows : IDisposable
{
    private const int BlockBytes = 32 * 1024;

    private readonly ZLibStream _inflater;
    private readonly byte[] _buffer;
    private readonly PngHeader _header;
    private readonly int _stride;
    private readonly int _blockRows;
    private int _filled;
    private int _taken;
    private int _left;

    /// <summary>Starts at the first row.</summary>
    public PngRows(ReadOnlyMemory<byte> png, in PngHeader header, in PngChunks chunks)
    {
        _header = header;
        _stride = (header.Width * header.Channels) + 1;
        _blockRows = Math.Clamp(BlockBytes / _stride, 1, header.Height);
        _left = header.Height;
        _buffer = ArrayPool<byte>.Shared.Rent((_blockRows + 1) * _stride);
        _buffer.AsSpan(0, _stride).Clear();
        _inflater = new ZLibStream(new PngDataStream(png, chunks.DataStart), CompressionMode.Decompress);
    }

    /// <summary>The next row's pixels, valid until the call after it; called at most once per declared row.</summary>
    public Fault? Next(out ReadOnlySpan<byte> row)
    {
        row = default;
        if (_taken == _filled && Fill() is { } fault)
            return fault;

        // Slot 0 of the buffer is the last row of the block before, the rows of this block follow it.
        _taken++;
        var line = _buffer.AsSpan(_taken * _stride, _stride);
        if (line[0] > PngFilter.Last)
        {
            return Invalid($"A row of the PNG has filter type {line[0]}; 0 to {PngFilter.Last} exist. "
                + $"The file is damaged: send it anew.");
        }

        var above = _buffer.AsSpan((_taken - 1) * _stride, _stride);
        PngFilter.Undo(line[0], line[1..], above[1..], _header.Channels);
        row = line[1..];
        return null;
    }

    /// <summary>After the last row: nothing may follow, and the data's own checksum must hold.</summary>
    public Fault? End()
    {
        try
        {
            Span<byte> more = stackalloc byte[1];
            return _inflater.Read(more) == 0
                ? null
                : Invalid($"The PNG's data unfolds to more than the {_header.Width:N0} x {_header.Height:N0} pixels "
                    + $"it declares. Send a correct file.");
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            return Damaged();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _inflater.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
    }

    private Fault? Fill()
    {
        _buffer.AsSpan(_filled * _stride, _stride).CopyTo(_buffer);
        (_taken, _filled) = (0, Math.Min(_blockRows, _left));
        var wanted = _buffer.AsSpan(_stride, _filled * _stride);
        try
        {
            if (_inflater.ReadAtLeast(wanted, wanted.Length, throwOnEndOfStream: false) < wanted.Length)
            {
                return Invalid($"The PNG's data ends before the {_header.Width:N0} x {_header.Height:N0} pixels "
                    + $"it declares. Send the whole file.");
            }
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            return Damaged();
        }

        _left -= _filled;
        return null;
    }

    private static Fault Damaged() =>
        Invalid($"The PNG's compressed data is cut or damaged: it does not inflate. Send the whole file anew.");
}

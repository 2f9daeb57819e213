using System.Buffers.Text;
using System.Runtime.InteropServices;

namespace Spillway.Runtimes.Onnx;

/// <summary>A session's arena, for its figures. Thread-safe; holds the session.</summary>
internal sealed unsafe class OrtArena : IDisposable
{
    private const int StatisticsSince = 23;

    private readonly OrtLibrary _library;
    private readonly OrtHandle _allocator;

    private OrtArena(OrtLibrary library, OrtHandle allocator) => (_library, _allocator) = (library, allocator);

    /// <summary>The arena; null where the library does not tell about it.</summary>
    public static OrtArena? Of(OrtLibrary library, OrtHandle session)
    {
        if (!library.IsAtLeast(StatisticsSince))
            return null;
        nint allocator;
        var status = library.Api.CreateAllocator(session.Value, library.CpuMemory, &allocator);
        if (status == 0)
            return new(library, new OrtHandle(allocator, library.Api.ReleaseAllocator, session));
        library.Api.ReleaseStatus(status);
        return null;
    }

    /// <summary>Bytes that it has taken from the system; null when it does not tell.</summary>
    public long? TotalBytes
    {
        get
        {
            var held = false;
            try
            {
                _allocator.DangerousAddRef(ref held);
                return Read("TotalAllocated"u8);
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
            finally
            {
                if (held)
                    _allocator.DangerousRelease();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _allocator.Dispose();

    private long? Read(ReadOnlySpan<byte> name)
    {
        nint pairs;
        var status = _library.Api.GetAllocatorStats(_allocator.Value, &pairs);
        if (status != 0)
        {
            _library.Api.ReleaseStatus(status);
            return null;
        }

        // UTF-8 literals end in NUL.
        byte* value;
        fixed (byte* key = name)
            value = _library.Api.GetKeyValue(pairs, key);
        long? figure = value != null && Utf8Parser.TryParse(
            MemoryMarshal.CreateReadOnlySpanFromNullTerminated(value), out long bytes, out _) ? bytes : null;
        _library.Api.ReleaseKeyValuePairs(pairs);
        return figure;
    }
}

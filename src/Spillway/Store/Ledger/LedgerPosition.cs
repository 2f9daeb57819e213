using System.IO.MemoryMappedFiles;

namespace Spillway.Store.Ledger;

/// <summary>
/// How many entries were ever handed to the ledger, and their sum, in a page of memory that belongs to the kernel: it
/// outlives the process, whichever way that ends, and costs no call. So the next start knows exactly what was handed
/// over and never written. A loss of power may set it back; what it then misses is not counted.
/// One owner at a time.
/// </summary>
internal sealed class LedgerPosition : IDisposable
{
    private const long Magic = 0x3176_7264_656C_7073; // "spledrv1"
    private const int Bytes = 4096;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _page;

    private LedgerPosition(MemoryMappedFile file, MemoryMappedViewAccessor page) => (_file, _page) = (file, page);

    /// <summary>The number of the last entry handed over; 0 for none.</summary>
    public long Sequence => _page.ReadInt64(8);

    /// <summary>The sum of all entries handed over, in nano-units.</summary>
    public long Nano => _page.ReadInt64(16);

    /// <summary>Opens the file, or makes it. One that is not a position counts as new.</summary>
    public static LedgerPosition Open(string path)
    {
        var stream = OwnerOnly.Open(path);
        // Written and not only made longer: a page without a place on a full disk would end the process when touched.
        if (stream.Length < Bytes)
            stream.Write(new byte[Bytes]);
        var file = MemoryMappedFile.CreateFromFile(
            stream, mapName: null, Bytes, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None,
            leaveOpen: false);
        var page = file.CreateViewAccessor(0, Bytes);
        var position = new LedgerPosition(file, page);
        if (page.ReadInt64(0) != Magic)
        {
            position.Move(0, 0);
            page.Write(0, Magic);
        }

        return position;
    }

    /// <summary>Notes what was handed over.</summary>
    public void Move(long sequence, long nano)
    {
        _page.Write(16, nano);
        _page.Write(8, sequence);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _page.Dispose();
        _file.Dispose();
    }
}

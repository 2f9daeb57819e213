using System.IO.MemoryMappedFiles;

namespace Spillway.Store.Audit;

/// <summary>
/// How many records a log accepted in its life, in shared memory that outlives the process and not the machine: after a
/// kill -9 the difference to what is in the log is what was lost with the memory, exactly. Not thread-safe: the queue's
/// lock guards it.
/// </summary>
/// <remarks>
/// In a file system of memory, and not in a file beside the log: a store into a mapped page of a file on disk may wait
/// for that disk, and requests write here.
/// </remarks>
internal sealed class AcceptedCounter : IDisposable
{
    private const string SharedMemory = "/dev/shm";

    private readonly string _path;
    private readonly FileStream? _file;
    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;

    /// <param name="log">The log's id.</param>
    public AcceptedCounter(string log)
    {
        _path = Path.Combine(SharedMemory, $"spillway-audit-{log}");
        if (!OperatingSystem.IsLinux() || !Directory.Exists(SharedMemory))
            return;
        try
        {
            Before = File.Exists(_path) ? Value(_path) : null;
            _file = OwnerOnly.Open(_path);
            _file.Write(new byte[sizeof(long)]);
            _file.Flush();
            _map = MemoryMappedFile.CreateFromFile(
                _file, null, sizeof(long), MemoryMappedFileAccess.ReadWrite, HandleInheritability.None,
                    leaveOpen: true);
            _view = _map.CreateViewAccessor(0, sizeof(long));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without it the log is as good; only the number of what a kill takes is unknown.
            Dispose();
            (_file, _map, _view) = (null, null, null);
        }
    }

    /// <summary>
    /// What another process left, which did not end; null when there is nothing or it cannot be kept.
    /// </summary>
    public long? Before { get; }

    /// <summary>The count.</summary>
    public long Count { get; private set; }

    /// <summary>One more.</summary>
    public void Add() => Set(Count + 1);

    /// <summary>From here on.</summary>
    public void Set(long value)
    {
        Count = value;
        _view?.Write(0, value);
    }

    /// <summary>After a clean end: nothing is left behind.</summary>
    public void Forget()
    {
        Dispose();
        if (_file is not null)
            File.Delete(_path);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _view?.Dispose();
        _map?.Dispose();
        _file?.Dispose();
    }

    private static long Value(string path)
    {
        var bytes = File.ReadAllBytes(path);
        return bytes.Length == sizeof(long) ? BitConverter.ToInt64(bytes) : 0;
    }
}

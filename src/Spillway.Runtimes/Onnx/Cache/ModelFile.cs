using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>
/// A file that a stranger may have made, and may be writing to: opened only when it is a regular file, and read through
/// one handle up to the length that it had then. It is never mapped, because a mapped file that becomes shorter ends
/// the process (SIGBUS). One thread at a time.
/// </summary>
internal sealed class ModelFile : IDisposable
{
    private const int PieceBytes = 256 * 1024;

    private readonly SafeFileHandle _handle;

    private ModelFile(SafeFileHandle handle, string path, long length) =>
        (_handle, Path, Length, Stamp) = (handle, path, length, FileStamp.Of(handle));

    /// <summary>As it was asked for.</summary>
    public string Path { get; }

    /// <summary>In bytes, at the opening; more is never read.</summary>
    public long Length { get; }

    /// <summary>At the opening; null where there is no such thing.</summary>
    public FileStamp? Stamp { get; }

    /// <summary>Opens it; null with what is wrong, in words that follow its name.</summary>
    public static ModelFile? Open(string path, out string problem)
    {
        problem = "";
        SafeFileHandle? handle = null;
        try
        {
            if (Directory.Exists(path))
            {
                problem = "is a folder; name the .onnx file in it";
                return null;
            }

            handle = OperatingSystem.IsLinux() ? OpenRegular(path)
                : File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            return handle is null ? null : new(handle, path, RandomAccess.GetLength(handle));
        }
        catch (Exception error) when (CacheFolder.IsFileProblem(error) || error is ArgumentException)
        {
            handle?.Dispose();
            problem = $"cannot be read: {error.Message}";
            return null;
        }
    }

    /// <summary>Where a file or folder lies with all links followed; the path itself where nothing tells.</summary>
    public static string RealPath(string path)
    {
        if (!OperatingSystem.IsLinux())
            return new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
        using var handle = OpenAny(path, LibC.PathOnly);
        return RealPath(handle) ?? path;
    }

    /// <summary>Where it really lies; of what is open, so that nobody can change it in between.</summary>
    public string RealPath() => RealPath(_handle) ?? RealPath(Path);

    /// <summary>Bytes from a place; fewer at the end, also when the file has become shorter.</summary>
    public int Read(Span<byte> into, long at)
    {
        var most = (int)Math.Clamp(Length - at, 0, into.Length);
        var read = 0;
        while (read < most && RandomAccess.Read(_handle, into[read..most], at + read) is > 0 and var more)
            read += more;
        return read;
    }

    /// <summary>
    /// SHA-256 in lower-case hexadecimal; about a millisecond a megabyte. Null when the file changed meanwhile.
    /// </summary>
    public string? Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            for (var at = 0L; at < Length;)
            {
                var read = Read(piece, at);
                if (read == 0)
                    return null;
                hash.AppendData(piece, 0, read);
                at += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }

        return FileStamp.Of(_handle) == Stamp && RandomAccess.GetLength(_handle) == Length
            ? Convert.ToHexStringLower(hash.GetHashAndReset())
            : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    /// <summary>
    /// Looked at before it is opened, because opening a device may do something, and afterwards, because it may be
    /// another one by then.
    /// </summary>
    private static SafeFileHandle OpenRegular(string path)
    {
        if (FileStamp.Of(path) is { IsRegular: false })
            throw new IOException("it is no regular file.");
        var handle = OpenAny(path, LibC.ReadOnly);
        if (FileStamp.Of(handle) is not { IsRegular: false })
            return handle;
        handle.Dispose();
        throw new IOException("it is no regular file.");
    }

    private static unsafe SafeFileHandle OpenAny(string path, int flags)
    {
        // A NUL would end it early: another file would be opened.
        if (path.Contains('\0', StringComparison.Ordinal))
            throw new IOException("its path holds a NUL character.");
        int number;
        fixed (byte* text = OrtNames.Text(path))
            number = LibC.Open(text, flags);
        return number >= 0 ? new(number, ownsHandle: true)
            : throw new IOException($"{Marshal.GetLastPInvokeErrorMessage()}: '{path}'.");
    }

    private static string? RealPath(SafeFileHandle handle) => OperatingSystem.IsLinux()
        ? new FileInfo($"/proc/self/fd/{handle.DangerousGetHandle()}").LinkTarget
        : null;
}

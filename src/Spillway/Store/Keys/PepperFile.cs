using System.Security.Cryptography;

namespace Spillway.Store.Keys;

/// <summary>A secret in a file of the state folder that only its owner may read.</summary>
internal static class PepperFile
{
    /// <summary>Its name in the state folder.</summary>
    public const string FileName = "pepper";

    private const int Bytes = 32;
    private const int BytesMax = 4096;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Reads the file; makes it with random bytes where there is none.</summary>
    /// <param name="file">Absolute path.</param>
    /// <param name="mayMake">
    /// Whether one may be made: not beside keys that were made with one that is gone.
    /// </param>
    public static Outcome<byte[]> ReadOrMake(string file, bool mayMake)
    {
        try
        {
            if (File.Exists(file))
                return Read(file);
            return mayMake ? Make(file) : new Fault(
                FaultKind.StoreFailed,
                $"The pepper {file} is gone, and without it no key is known. Put a copy in its place, or move the keys "
                + $"({KeyStore.FileName}) away too and make new ones.");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return new Fault(FaultKind.StoreFailed,
                $"The pepper {file} cannot be used: {failed.Message.TrimEnd('.')}.");
        }
    }

    /// <summary>Reads a secret of at most 4 KiB from a file; line ends behind it are not part of it.</summary>
    public static Outcome<byte[]> Read(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read);
            Span<byte> bytes = stackalloc byte[BytesMax + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > BytesMax)
                return new Fault(FaultKind.StoreFailed, $"The secret in {file} has more than {BytesMax:N0} bytes.");
            return bytes[..length].TrimEnd("\r\n"u8).ToArray();
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return new Fault(FaultKind.StoreFailed,
                $"The secret in {file} cannot be read: {failed.Message.TrimEnd('.')}.");
        }
    }

    private static byte[] Make(string file)
    {
        // Text, so that it survives editors and secret stores.
        var text = System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes)));
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        using var stream = new FileStream(file, options);
        stream.Write(text);
        stream.Flush(flushToDisk: true);
        return text;
    }
}

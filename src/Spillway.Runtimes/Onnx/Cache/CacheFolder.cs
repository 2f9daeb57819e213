using System.Security.Cryptography;
using System.Text;

namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>
/// Where a cache lies, and whether it may be used: what is in it is mapped into this process and run.
/// </summary>
internal static class CacheFolder
{
    /// <summary>The environment variable that names the folder for every model that says auto; "off" is none.</summary>
    public const string Variable = "SPILLWAY_CACHE";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OthersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>The folder that an option means, null for none.</summary>
    /// <param name="option">"auto", "off" or a path.</param>
    /// <param name="variable">The variable of that name, null when not set.</param>
    public static string? Find(string option, Func<string, string?> variable)
    {
        if (option == "off")
            return null;
        if (option.Length > 0 && option != "auto")
            return Path.GetFullPath(option);
        if (variable(Variable) is { Length: > 0 } named)
            return named == "off" ? null : Path.GetFullPath(named);
        if (variable("XDG_CACHE_HOME") is { Length: > 0 } xdg && Path.IsPathRooted(xdg))
            return Path.Combine(xdg, "spillway", "onnx");
        if (OperatingSystem.IsWindows())
        {
            var local = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
            return local.Length > 0 ? Path.Combine(local, "spillway", "cache", "onnx") : null;
        }

        return variable("HOME") is { Length: > 0 } home && Path.IsPathRooted(home)
            ? Path.Combine(home, ".cache", "spillway", "onnx")
            : null;
    }

    /// <summary>Makes the folder, for its owner only; the reason when it cannot be used, else null.</summary>
    public static string? Prepare(string folder)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(folder);
                return null;
            }

            Directory.CreateDirectory(folder, OwnerOnly);
            return (File.GetUnixFileMode(folder) & OthersWrite) == 0 ? null
                : $"others may write to it; take that right from them with 'chmod go-w {folder}'";
        }
        catch (Exception error) when (IsFileProblem(error))
        {
            return error.Message;
        }
    }

    /// <summary>True for what a file system may say at any time: full, read-only, gone, not allowed.</summary>
    public static bool IsFileProblem(Exception error) => error is IOException or UnauthorizedAccessException;

    /// <summary>Writes a small file whole or not at all: to a name of its own first, then renamed.</summary>
    public static void Write(string file, string text)
    {
        var draft = $"{file}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}.tmp";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(draft, text);
            File.Move(draft, file, overwrite: true);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }

    /// <summary>Reads a small file of ours; null when there is none or it is larger than one of ours can be.</summary>
    public static string? Read(string file)
    {
        const int BytesMax = 1024 * 1024;
        try
        {
            return new FileInfo(file) is { Exists: true, Length: <= BytesMax } ? File.ReadAllText(file) : null;
        }
        catch (Exception error) when (IsFileProblem(error))
        {
            return null;
        }
    }

    /// <summary>SHA-256 in lower-case hexadecimal.</summary>
    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>SHA-256 of a file in lower-case hexadecimal; about 1 ms a megabyte.</summary>
    public static string HashFile(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete,
            1);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}

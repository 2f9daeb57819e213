using System.Buffers;
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

    /// <summary>
    /// The folder in the named one that is ours alone: what is deleted for its age lies below it, so that a named
    /// folder which holds other things keeps them.
    /// </summary>
    public const string Own = "spillway-cache";

    /// <summary>
    /// Marks our folder: a cache directory tag (https://bford.info/cachedir/), which backup programs know too.
    /// </summary>
    public const string Tag = "CACHEDIR.TAG";

    private const string TagText = """
        Signature: 8a477f597d28d172789f06886806bc55
        # Spillway keeps optimized models in this folder and deletes the oldest of them. It may be deleted as a whole.

        """;

    private static readonly SearchValues<char> s_hex = SearchValues.Create("0123456789abcdef");

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

    /// <summary>
    /// Makes our folder in the named one, both for their owner only; the reason when they cannot be used, else null.
    /// </summary>
    public static string? Prepare(string folder)
    {
        try
        {
            var own = Path.Combine(folder, Own);
            return Enter(folder, isOwn: false) ?? Enter(own, isOwn: true) ?? Claim(own);
        }
        catch (Exception error) when (IsFileProblem(error))
        {
            return error.Message;
        }
    }

    /// <summary>Whether a folder carries our mark: only then is anything in it deleted.</summary>
    public static bool IsOurs(string folder) => Read(Path.Combine(folder, Tag)) == TagText;

    /// <summary>64 lower-case hexadecimal digits, as we name things.</summary>
    public static bool IsHash(string name) => IsHex(name, 64);

    /// <summary>So many lower-case hexadecimal digits.</summary>
    public static bool IsHex(ReadOnlySpan<char> name, int digits) =>
        name.Length == digits && !name.ContainsAnyExcept(s_hex);

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

    /// <summary>SHA-256 of a file of ours in lower-case hexadecimal; about 1 ms a megabyte.</summary>
    public static string HashFile(string file)
    {
        using var open = ModelFile.Open(file, out var problem) ?? throw new IOException($"'{file}' {problem}");
        return open.Hash() ?? throw new IOException($"'{file}' changed while it was read.");
    }

    private static string? Enter(string folder, bool isOwn)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return null;
        }

        Directory.CreateDirectory(folder, OwnerOnly);
        // Whoever owns it may give himself the right to write at any time; to the system's own user nothing is barred.
        if (FileStamp.Of(folder) is { } stamp && stamp.Owner != LibC.UserId() && (isOwn || stamp.Owner != 0))
            return $"it belongs to user {stamp.Owner} and this process runs as {LibC.UserId()}; "
                + "name a folder of its own";
        return (File.GetUnixFileMode(folder) & OthersWrite) == 0 ? null
            : $"others may write to it; take that right from them with 'chmod go-w {folder}'";
    }

    private static string? Claim(string own)
    {
        if (IsOurs(own))
            return null;
        // Another process may be writing the same mark; and whoever has written it fills the folder at once, so what is
        // found here is foreign only if there is no mark afterwards either.
        if (Directory.EnumerateFileSystemEntries(own).Select(e => Path.GetFileName(e))
            .Any(static name => !name.StartsWith(Tag, StringComparison.Ordinal)) && !IsOurs(own))
            return $"'{own}' holds files and no mark of a cache of ours; delete it, or name another folder";
        Write(Path.Combine(own, Tag), TagText);
        return null;
    }
}

namespace Spillway.Store;

/// <summary>
/// The folder of what must survive a restart. One process at a time holds it; only its owner may enter it. Dispose
/// lets go. Thread-safe.
/// </summary>
public sealed class StateFolder : IDisposable
{
    private const string LockName = "lock";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly FileStream _held;

    private StateFolder(string path, FileStream held) => (Path, _held) = (path, held);

    /// <summary>Its absolute path.</summary>
    public string Path { get; }

    /// <summary>
    /// Makes the folder where there is none, and takes it for this process. A fault says who is in the way: another
    /// process that holds it, or rights that are missing.
    /// </summary>
    /// <param name="path">Absolute.</param>
    public static Outcome<StateFolder> Open(string path)
    {
        try
        {
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(path);
            else
                Directory.CreateDirectory(path, OwnerOnly);
            var held = new FileStream(System.IO.Path.Combine(path, LockName), FileMode.OpenOrCreate,
                FileAccess.ReadWrite, FileShare.None);
            return new StateFolder(path, held);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return new Fault(FaultKind.StoreFailed,
                $"The state folder {path} cannot be taken: {refused.Message.TrimEnd('.')}. One server at a time uses it; "
                + "stop the other one, or give this one a folder of its own that it may write (server.stateFolder).");
        }
    }

    /// <summary>The absolute path of a file in it.</summary>
    public string FileOf(string name) => System.IO.Path.Combine(Path, name);

    /// <inheritdoc/>
    public void Dispose() => _held.Dispose();
}

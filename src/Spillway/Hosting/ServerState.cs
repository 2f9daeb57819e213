using Spillway.Config;
using Spillway.Store;

namespace Spillway.Hosting;

/// <summary>
/// The state folder of one server, which keys, switches, budgets, the ledger and the audit log share: opened by the
/// first that needs it, and not at all where none does. Not thread-safe: a server is put together by one thread.
/// </summary>
internal sealed class ServerState : IDisposable
{
    private StateFolder? _folder;

    /// <summary>
    /// The folder, held by this process; throws <see cref="SpillwayConfigurationException"/> when it cannot be.
    /// </summary>
    /// <param name="snapshot">Says where it is.</param>
    /// <param name="section">Which section needs it, for the error.</param>
    public StateFolder Open(Snapshot snapshot, string section)
    {
        if (_folder is not null)
            return _folder;
        var path = Path.GetFullPath(
            snapshot.Server.StateFolder, Path.GetDirectoryName(Path.GetFullPath(snapshot.Source)) ?? "");
        if (StateFolder.Open(path).TryGet(out _folder, out var fault))
            return _folder;
        throw Refused(snapshot, section, fault);
    }

    /// <summary>A store that does not open, as what keeps the server from starting.</summary>
    public static SpillwayConfigurationException Refused(Snapshot snapshot, string section, Fault fault) => new(
    [
        new(snapshot.Source, section, 0, 0, "", fault.Message,
            $"The server does not start without it: mend it, or remove the section {section}."),
    ]);

    /// <summary>Lets go of the folder. After everything in it is closed.</summary>
    public void Dispose() => _folder?.Dispose();
}

using Spillway.Config;
using Spillway.Store;
using Spillway.Store.Audit;
using Spillway.Store.Sealing;

namespace Spillway.Hosting;

/// <summary>
/// The key ring of a server that is stopped, which seals the inputs that its audit log keeps. Each call takes the state
/// folder for its time, so none meets a running server.
/// </summary>
public static class OfflineRing
{
    /// <summary>
    /// The ids of the keys, the one that seals first; a fault when a server runs, or there is no ring.
    /// </summary>
    public static Outcome<string[]> Ids(Snapshot snapshot) => With(snapshot, static ring => ring);

    /// <summary>One more key, which seals from now on; what the others sealed still opens.</summary>
    public static Outcome<string[]> Rotate(Snapshot snapshot) =>
        With(snapshot, static ring => ring.Rotate());

    /// <summary>One key less: what it sealed never opens again.</summary>
    public static Outcome<string[]> Retire(Snapshot snapshot, string id) =>
        With(snapshot, ring => ring.Retire(id));

    private static Outcome<string[]> With(Snapshot snapshot, Func<KeyRing, Outcome<KeyRing>> change)
    {
        var file = Path.Combine(snapshot.StateFolder, AuditLog.RingName);
        if (!File.Exists(file))
        {
            return new Fault(
                FaultKind.StoreFailed,
                $"There is no key ring {file}: it is made when a server with an audit log starts.");
        }

        if (!StateFolder.Open(snapshot.StateFolder).TryGet(out var folder, out var fault))
            return fault;
        using (folder)
        {
            return KeyRing.Open(file).TryGet(out var ring, out fault) && change(ring).TryGet(out ring, out fault)
                ? (Outcome<string[]>)ring.Ids.ToArray()
                : fault!;
        }
    }
}

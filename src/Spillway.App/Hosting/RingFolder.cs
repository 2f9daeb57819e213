using Spillway.App.Cli;
using Spillway.Config;
using Spillway.Hosting;

namespace Spillway.App.Hosting;

/// <summary>
/// The key ring of a server that is stopped, for the command line. A refusal is a <see cref="CommandException"/>.
/// </summary>
internal static class RingFolder
{
    /// <summary>Changes the ring of a configuration's state folder, or leaves it; gives the ids of its keys.</summary>
    /// <param name="config">Path of the configuration.</param>
    /// <param name="rotate">Whether one more key is made.</param>
    /// <param name="retire">The key to take away; null for none.</param>
    public static IReadOnlyList<string> Change(string config, bool rotate, string? retire)
    {
        var loaded = Composition.LoadConfig(config);
        if (!loaded.Valid)
            throw new CommandException(ConfigErrorText.Format(loaded.Errors), Commands.Usage);
        var snapshot = Snapshot.From(loaded, number: 1, TimeProvider.System.GetUtcNow());
        var ids = Get(rotate ? OfflineRing.Rotate(snapshot) : OfflineRing.Ids(snapshot));
        return retire is null ? ids : Get(OfflineRing.Retire(snapshot, retire));
    }

    private static string[] Get(Outcome<string[]> outcome) =>
        outcome.TryGet(out var ids, out var fault) ? ids : throw new CommandException(fault.Message);
}

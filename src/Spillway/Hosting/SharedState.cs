using Spillway.Config;
using Spillway.Store;

namespace Spillway.Hosting;

/// <summary>
/// The state folder of one server, opened when the first room asks for it and shared by all. Dispose lets go, after the
/// rooms have. Used while a server is put together, by one thread.
/// </summary>
/// <param name="snapshot">Names the folder; relative to the configuration's file.</param>
internal sealed class SharedState(Snapshot snapshot) : IDisposable
{
    private StateFolder? _folder;

    /// <summary>The folder; throws <see cref="SpillwayStartException"/> when it cannot be taken.</summary>
    public StateFolder Folder => _folder ??= Get(StateFolder.Open(Path.GetFullPath(
        snapshot.Server.StateFolder, Path.GetDirectoryName(snapshot.Source) is { Length: > 0 } beside
            ? Path.GetFullPath(beside) : Environment.CurrentDirectory)));

    /// <summary>A value, or a start that ends with its fault.</summary>
    public static T Get<T>(Outcome<T> outcome) =>
        outcome.TryGet(out var value, out var fault) ? value : throw new SpillwayStartException(fault.Message);

    /// <inheritdoc/>
    public void Dispose() => _folder?.Dispose();
}

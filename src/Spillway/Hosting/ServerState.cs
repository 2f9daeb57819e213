using Spillway.Store;

namespace Spillway.Hosting;

/// <summary>
/// The state folder of a server, opened when something first needs it, and what lives in it. Dispose closes all that,
/// youngest first, and then lets the folder go.
/// </summary>
/// <param name="path">Absolute.</param>
internal sealed class ServerState(string path) : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _owned = [];
    private StateFolder? _folder;
    private bool _closed;

    /// <summary>The folder, taken for this process with the first call.</summary>
    /// <exception cref="SpillwayStartException">It cannot be taken.</exception>
    public StateFolder Folder => _folder ??= TakeFolder();

    /// <summary>As <see cref="Folder"/>, for what has something to keep while it serves: it is told why not.</summary>
    public Outcome<StateFolder> Take()
    {
        try
        {
            return Folder;
        }
        catch (SpillwayStartException refused)
        {
            return new Fault(FaultKind.StoreFailed, refused.Message);
        }
    }

    /// <summary>Closes something with the server, before the folder is let go.</summary>
    public void Own(IAsyncDisposable part) => _owned.Add(part);

    /// <summary>A value, or a start that ends with its fault.</summary>
    public static T Get<T>(Outcome<T> outcome) =>
        outcome.TryGet(out var value, out var fault) ? value : throw new SpillwayStartException(fault.Message);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_closed)
            return;
        _closed = true;
        for (var i = _owned.Count - 1; i >= 0; i--)
            await _owned[i].DisposeAsync().ConfigureAwait(false);
        _folder?.Dispose();
    }

    private StateFolder TakeFolder() => StateFolder.Open(path).TryGet(out var folder, out var fault)
        ? folder : throw new SpillwayStartException(fault.Message);
}

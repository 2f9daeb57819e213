using System.Text.Json;
using Spillway.App.Cli;
using Spillway.Config;
using Spillway.Hosting;

namespace Spillway.App.Hosting;

/// <summary>
/// The keys of a server that is stopped, for the command line. A refusal is a <see cref="CommandException"/>.
/// </summary>
internal sealed class KeyFolder : IAsyncDisposable
{
    private readonly OfflineKeys _keys;

    private KeyFolder(OfflineKeys keys) => _keys = keys;

    /// <summary>Takes the state folder that a configuration names.</summary>
    public static async Task<KeyFolder> OpenAsync(string config)
    {
        var loaded = Composition.LoadConfig(config);
        if (!loaded.Valid)
            throw new CommandException(ConfigErrorText.Format(loaded.Errors), Commands.Usage);
        var snapshot = Snapshot.From(loaded, number: 1, TimeProvider.System.GetUtcNow());
        var opened = await OfflineKeys.OpenAsync(snapshot, TimeProvider.System).ConfigureAwait(false);
        return opened.TryGet(out var keys, out var fault) ? new(keys) : throw new CommandException(
            fault.Message + " To ask a running server, give --server in place of --config.");
    }

    /// <summary>One request of the admin protocol.</summary>
    /// <param name="path">Behind /admin/v1/.</param>
    /// <param name="body">JSON to post; null reads.</param>
    public JsonElement Ask(string path, byte[]? body) =>
        _keys.Ask(path, isRead: body is null, body ?? []).TryGet(out var answer, out var fault)
            ? JsonElement.Parse(answer)
            : throw new CommandException(fault.Message);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _keys.DisposeAsync();
}

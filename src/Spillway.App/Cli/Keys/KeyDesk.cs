using System.Text.Json;
using Spillway.App.Hosting;
using Spillway.Config;
using Spillway.Hosting;

namespace Spillway.App.Cli.Keys;

/// <summary>
/// Where keys are asked for: a running server, or the state folder of a stopped one. Same paths, same JSON.
/// </summary>
internal abstract class KeyDesk : IAsyncDisposable
{
    /// <summary>One request of /admin/v1; a refusal is a <see cref="CommandException"/>.</summary>
    /// <param name="path">Behind the protocol's root.</param>
    /// <param name="body">JSON to post; null reads.</param>
    /// <param name="cancellation">Ctrl-C.</param>
    public abstract Task<JsonElement> AskAsync(string path, byte[]? body, CancellationToken cancellation);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Opens the one that the command line names.</summary>
    public static async Task<KeyDesk> OpenAsync(string? config, ServerPlace server) => config is null
        ? new Wire(new ServerClient(server))
        : new Folder(await TakeAsync(config).ConfigureAwait(false));

    private static async Task<OfflineKeys> TakeAsync(string config)
    {
        var loaded = Composition.LoadConfig(config);
        if (!loaded.Valid)
            throw new CommandException(ConfigErrorText.Format(loaded.Errors), Commands.Usage);
        var snapshot = Snapshot.From(loaded, number: 1, TimeProvider.System.GetUtcNow());
        var opened = await OfflineKeys.OpenAsync(snapshot, TimeProvider.System).ConfigureAwait(false);
        return opened.TryGet(out var keys, out var fault) ? keys
            : throw new CommandException(fault.Message
                + " To ask a running server, give --server in place of --config.");
    }

    private sealed class Wire(ServerClient client) : KeyDesk
    {
        public override Task<JsonElement> AskAsync(string path, byte[]? body, CancellationToken cancellation) =>
            body is null
            ? client.GetAsync($"/admin/v1/{path}", cancellation)
            : client.PostAsync($"/admin/v1/{path}", body, cancellation);

        public override ValueTask DisposeAsync()
        {
            client.Dispose();
            return default;
        }
    }

    private sealed class Folder(OfflineKeys keys) : KeyDesk
    {
        public override Task<JsonElement> AskAsync(string path, byte[]? body, CancellationToken cancellation) =>
            keys.Ask(path, isRead: body is null, body ?? []).TryGet(out var answer, out var fault)
                ? Task.FromResult(JsonElement.Parse(answer))
                : throw new CommandException(fault.Message);

        public override ValueTask DisposeAsync() => keys.DisposeAsync();
    }
}

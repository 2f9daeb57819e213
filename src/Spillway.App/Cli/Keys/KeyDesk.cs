using System.Text.Json;
using Spillway.App.Hosting;

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
        : new Folder(await KeyFolder.OpenAsync(config).ConfigureAwait(false));

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

    private sealed class Folder(KeyFolder keys) : KeyDesk
    {
        public override Task<JsonElement> AskAsync(string path, byte[]? body, CancellationToken cancellation) =>
            Task.FromResult(keys.Ask(path, body));

        public override ValueTask DisposeAsync() => keys.DisposeAsync();
    }
}

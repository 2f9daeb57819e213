using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Spillway.Config;
using Spillway.Engine.Access;
using Spillway.Protocols.Admin;

namespace Spillway.Hosting;

/// <summary>
/// The keys of a server that is stopped: its state folder, asked as the admin protocol is. So the first operator's key
/// can be made. Holds the folder until it is disposed.
/// </summary>
public sealed class OfflineKeys : IAsyncDisposable
{
    private readonly ServerState _state;
    private readonly KeyRing _keys;

    private OfflineKeys(ServerState state, KeyRing keys) => (_state, _keys) = (state, keys);

    /// <summary>Takes the state folder of a configuration; a fault when a server runs on it.</summary>
    public static async Task<Outcome<OfflineKeys>> OpenAsync(Snapshot snapshot, TimeProvider time)
    {
        var state = new ServerState(snapshot.StateFolder);
        Fault? fault;
        try
        {
            if (AccessSetup.OpenKeys(snapshot, state.Folder, time, new(), NullLogger.Instance)
                .TryGet(out var keys, out fault))
            {
                state.Own(keys);
                return new OfflineKeys(state, keys);
            }
        }
        catch (SpillwayStartException refused)
        {
            fault = new(FaultKind.StoreFailed, refused.Message);
        }

        await state.DisposeAsync().ConfigureAwait(false);
        return fault;
    }

    /// <summary>Carries out one request of docs/reference/admin.md; gives its answer's JSON.</summary>
    /// <param name="path">Behind /admin/v1/: keys, keys/{id}/rotate, keys/{id}/revoke.</param>
    /// <param name="isRead">Whether it is a GET.</param>
    /// <param name="body">JSON; empty for none.</param>
    public Outcome<byte[]> Ask(string path, bool isRead, byte[] body)
    {
        if (!KeysProtocol.Ask(_keys, path, isRead, body).TryGet(out var answer, out var fault))
            return fault;
        var into = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(into))
            answer.Write(json);
        return into.WrittenSpan.ToArray();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _state.DisposeAsync();
}

using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace Spillway.Engine.Access;

/// <summary>Public keys of an identity provider at one moment, by their ids. Immutable.</summary>
internal sealed class SigningKeySet(FrozenDictionary<string, SecurityKey> byId, string digest)
{
    /// <summary>No keys.</summary>
    public static SigningKeySet Empty { get; } = new(FrozenDictionary<string, SecurityKey>.Empty, "");

    /// <summary>How many.</summary>
    public int Count => byId.Count;

    /// <summary>Of the bytes that it was read from.</summary>
    public string Digest => digest;

    /// <summary>The key of a token's kid; without one the only key there is.</summary>
    public SecurityKey? Find(string kid) => kid.Length == 0
        ? byId.Count == 1 ? byId.Values[0] : null
        : byId.GetValueOrDefault(kid);
}

/// <summary>
/// The public keys of an identity provider, read in the background from a file or an address: bounded in size, number
/// and time, and never while a request waits. What cannot be read leaves the keys before in force for a while, with a
/// warning and a count: a provider that is down shuts nobody out, and one that took a key back is not ignored for ever.
/// Thread-safe.
/// </summary>
internal sealed class SigningKeys : IAsyncDisposable
{
    /// <summary>The least time between two readings, however often an unknown key is asked for.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(30);

    private readonly string _place;
    private readonly TimeSpan _refresh;
    private readonly TimeSpan _keep;
    private readonly TimeProvider _time;
    private readonly AccessCounts _counts;
    private readonly ILogger _logger;
    private readonly HttpClient? _http;
    private readonly CancellationTokenSource _stop = new();
    private volatile SigningKeySet _current = SigningKeySet.Empty;
    private volatile TaskCompletionSource _wanted = NewSignal();
    private Task _reading = Task.CompletedTask;
    private long? _failingSince;

    /// <param name="place">An address, or an absolute path.</param>
    /// <param name="refresh">How often it is read.</param>
    /// <param name="keep">How long keys are in force that cannot be read again.</param>
    /// <param name="time">The clock.</param>
    /// <param name="counts">What is counted.</param>
    /// <param name="logger">Hears of what cannot be read.</param>
    public SigningKeys(
        string place, TimeSpan refresh, TimeSpan keep, TimeProvider time, AccessCounts counts, ILogger logger)
    {
        (_place, _refresh, _keep, _time, _counts, _logger) = (place, refresh, keep, time, counts, logger);
        if (!place.Contains("://", StringComparison.Ordinal))
            return;
        // A redirect could lead to a place that nobody configured.
        _http = new(new SocketsHttpHandler { AllowAutoRedirect = false })
        {
            Timeout = TimeSpan.FromSeconds(10), MaxResponseContentBufferSize = KeySetReader.BytesMax,
        };
    }

    /// <summary>The keys in force.</summary>
    public SigningKeySet Current => _current;

    /// <summary>
    /// Reads a file at once, for what is wrong with it is better said at the start. Null, or the fault.
    /// </summary>
    public async Task<Fault?> StartAsync()
    {
        var fault = _http is null ? await ReadAsync().ConfigureAwait(false) : null;
        if (fault is null)
            _reading = LoopAsync(isRead: _http is null);
        return fault;
    }

    /// <summary>A token came with a key that is not known: reads sooner, if it was not read just now.</summary>
    public void Want() => _wanted.TrySetResult();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
        _http?.Dispose();
        _stop.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task LoopAsync(bool isRead)
    {
        try
        {
            while (true)
            {
                var fault = isRead ? null : await ReadAsync().ConfigureAwait(false);
                isRead = false;
                _wanted = NewSignal();
                var pause = s_pause < _refresh ? s_pause : _refresh;
                await Task.Delay(pause, _time, _stop.Token).ConfigureAwait(false);
                // What failed is tried again soon.
                if (fault is null)
                    await UntilWantedAsync(_refresh - pause).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The end.
        }
    }

    private async Task UntilWantedAsync(TimeSpan most)
    {
        try
        {
            await _wanted.Task.WaitAsync(most, _time, _stop.Token).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It is time anyway.
        }
    }

    private async Task<Fault?> ReadAsync()
    {
        Fault? fault;
        try
        {
            var bytes = _http is null
                ? await KeySetReader.FileAsync(_place, _stop.Token).ConfigureAwait(false)
                : await _http.GetByteArrayAsync(new Uri(_place), _stop.Token).ConfigureAwait(false);
            fault = Take(bytes);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // The loop must live whatever a file system or a server comes up with.
        catch (Exception failed)
#pragma warning restore CA1031
        {
            fault = new(FaultKind.StoreFailed, failed is OperationCanceledException ? "no answer within 10 s"
                : failed.Message);
        }

        _counts.JwksRead(isOk: fault is null);
        if (fault is null)
        {
            _failingSince = null;
            return null;
        }

        AccessLog.JwksFailed(_logger, _place, fault.Message);
        Drop();
        return fault with { Message = $"The identity provider's keys (access.jwt.jwks, {_place}) cannot be used: "
            + $"{fault.Message}" };
    }

    /// <summary>Keys that could not be read for so long may have been taken back since.</summary>
    private void Drop()
    {
        // Counted from the first reading in vain: what was read last may be a day old by then, and is no failure.
        var since = _failingSince ??= _time.GetTimestamp();
        if (_current.Count == 0 || _time.GetElapsedTime(since) < _keep)
            return;
        _current = SigningKeySet.Empty;
        AccessLog.JwksDropped(_logger, _place, _keep.TotalSeconds);
    }

    private Fault? Take(byte[] bytes)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(bytes));
        // The same set stays the same object, so that verified tokens stay known.
        if (digest == _current.Digest)
            return null;
        if (!KeySetReader.Parse(bytes).TryGet(out var keys, out var fault))
            return fault;
        _current = new(keys, digest);
        AccessLog.JwksRead(_logger, _place, keys.Count);
        return null;
    }
}

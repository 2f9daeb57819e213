using System.Text.Json;

namespace Spillway.App.Cli.Top;

/// <summary>What one poll brought: figures, or why there are none.</summary>
/// <param name="Reading">The figures; null when the server gave none.</param>
/// <param name="Waiting">"waiting for …", with the reason; empty when there are figures.</param>
internal sealed record Poll(Reading? Reading, string Waiting);

/// <summary>
/// Asks a server for /metrics, /admin/v1/server and /admin/v1/models. A server that is away, restarts or is something
/// else is a sentence, never an exception: top goes on asking.
/// </summary>
internal sealed class TopPoller : IDisposable
{
    private const int BytesMax = 64 * 1024 * 1024;

    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly string _server;

    /// <summary>Throws <see cref="CommandException"/> for an address that is none.</summary>
    public TopPoller(ServerPlace place, TimeProvider time)
    {
        var server = place.Address;
        if (!Uri.TryCreate(server, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            throw new CommandException(
                $"'{server}' is not the address of a server. Give one as in --server http://127.0.0.1:8000.",
                Commands.Usage);
        }

        (_server, _time) = (server.TrimEnd('/'), time);
        _http = new(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = address, Timeout = TimeSpan.FromSeconds(5), MaxResponseContentBufferSize = BytesMax,
        };
        ServerClient.Authorize(_http, place.Key);
    }

    /// <summary>Asks once.</summary>
    public async Task<Poll> PollAsync(CancellationToken cancellation)
    {
        try
        {
            var metrics = await _http.GetStringAsync(new Uri("/metrics", UriKind.Relative), cancellation)
                .ConfigureAwait(false);
            var reading = new Reading
            {
                At = _time.GetUtcNow(), Seconds = _time.GetTimestamp() / (double)_time.TimestampFrequency,
            };
            reading.Metrics(metrics);
            reading.AdminServer(await JsonAsync("/admin/v1/server", cancellation).ConfigureAwait(false));
            reading.AdminModels(await JsonAsync("/admin/v1/models", cancellation).ConfigureAwait(false));
            return new(reading, "");
        }
        catch (HttpRequestException error)
        {
            var why = error.StatusCode is { } status
                ? (int)status is 401 or 403
                    ? $"it answered {(int)status}: give an operator's key with --key or {Commands.KeyVariable}"
                    : $"it answered {(int)status}; is it a Spillway?" : $"{error.HttpRequestError}";
            return Waiting(why);
        }
        catch (JsonException)
        {
            return Waiting("it answered without JSON; is it a Spillway?");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Waiting($"no answer within {_http.Timeout.TotalSeconds:0} s");
        }
    }

    public void Dispose() => _http.Dispose();

    private Poll Waiting(string why) => new(null, TerminalText.Clean($"waiting for {_server}: {why}"));

    private async Task<JsonElement> JsonAsync(string path, CancellationToken cancellation) => JsonElement.Parse(
        await _http.GetByteArrayAsync(new Uri(path, UriKind.Relative), cancellation).ConfigureAwait(false));
}

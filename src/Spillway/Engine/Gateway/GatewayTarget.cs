using System.Net.Http.Headers;
using System.Net.Sockets;
using Spillway.Config;
using Spillway.Engine.Upstreams;

namespace Spillway.Engine.Gateway;

/// <summary>
/// One server that speaks OpenAI's protocol: how it is addressed, and its connections. Follows no redirect, asks no
/// proxy, keeps no cookies. Thread-safe.
/// </summary>
internal sealed class GatewayTarget : IDisposable
{
    private const int HealthBytesMax = 64 * 1024;

    private static readonly MediaTypeHeaderValue s_json = new("application/json");

    /// <summary>How long it took to make the connection of a call, where one was made for it.</summary>
    public static readonly HttpRequestOptionsKey<ConnectTime> Connecting = new("spillway.connect");

    private readonly HttpMessageInvoker _http;
    private readonly Dictionary<WireCall, Uri> _addresses;
    private readonly Uri _health;
    private readonly GatewayKeys _keys;
    private readonly bool _isAzure;

    /// <summary>Makes one; nothing is connected yet.</summary>
    /// <param name="upstream">The upstream's name, for messages.</param>
    /// <param name="name">The target's.</param>
    /// <param name="options">Validated.</param>
    /// <param name="keys">Shared by the targets of the upstream.</param>
    /// <param name="handler">What answers in this process; null for a server elsewhere.</param>
    /// <param name="clock">The clock.</param>
    public GatewayTarget(
        string upstream, string name, UpstreamOptions options, GatewayKeys keys, HttpMessageHandler? handler,
        Clock clock)
    {
        (Name, _keys, _isAzure) = ($"{upstream}/{name}", keys, options.Kind is UpstreamKind.Azure);
        var url = handler is null ? options.Targets[name].Url : "http://simulated.invalid/v1";
        var root = url.EndsWith('/') ? url : url + "/";
        var query = options.ApiVersion.Length > 0 ? "?api-version=" + Uri.EscapeDataString(options.ApiVersion) : "";
        _addresses = Enum.GetValues<WireCall>().ToDictionary(c => c, c => new Uri(root + WireCalls.Path(c) + query));
        // As links are: "models" below the base address, "/health" at the server's root.
        _health = new(new Uri(root), options.HealthPath);
        _http = new(handler ?? Connections(options, clock));
    }

    /// <summary>"openai/a", for messages.</summary>
    public string Name { get; }

    /// <summary>The keys that it is asked with.</summary>
    public GatewayKeys Keys => _keys;

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>Sends a request; returns with the answer's head.</summary>
    /// <param name="call">What is asked.</param>
    /// <param name="body">Nobody changes it any more.</param>
    /// <param name="key">Empty for none.</param>
    /// <param name="trace">The request's place in a trace; null for none.</param>
    /// <param name="connect">Takes the time of connecting.</param>
    /// <param name="stop">Ends it, and the answer's body.</param>
    public Task<HttpResponseMessage> SendAsync(
        WireCall call, byte[] body, string key, string? trace, ConnectTime connect, CancellationToken stop)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, _addresses[call])
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = s_json } },
        };
        Authorize(request, key);
        if (trace is not null)
            request.Headers.TryAddWithoutValidation("traceparent", trace);
        request.Options.Set(Connecting, connect);
        return _http.SendAsync(request, stop);
    }

    /// <summary>Connections to one server; what making one takes is told, TLS included.</summary>
    /// <param name="options">The upstream's.</param>
    /// <param name="clock">The clock.</param>
    internal static SocketsHttpHandler Connections(UpstreamOptions options, Clock clock) => new()
    {
        ConnectTimeout = TimeSpan.FromMilliseconds(options.ConnectMs), AllowAutoRedirect = false,
        UseCookies = false, UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ActivityHeadersPropagator = null,
        ConnectCallback = (connection, stop) => ConnectAsync(connection, clock, stop),
        // It is called when TLS is through, or at once where there is none.
        PlaintextStreamFilter = (connection, _) =>
        {
            if (connection.InitialRequestMessage.Options.TryGetValue(Connecting, out var connect))
                connect.Took = clock.Now - connect.Began;
            return new(connection.PlaintextStream);
        },
    };

    /// <summary>Asks how it is: null, or what is wrong with it.</summary>
    /// <param name="options">With the path, and the bounds of time.</param>
    /// <param name="clock">Their clock.</param>
    /// <param name="stop">Nobody wants to know any more.</param>
    public async ValueTask<Fault?> CheckAsync(UpstreamOptions options, Clock clock, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _health);
        Authorize(request, _keys.Take(clock.Now).Text);
        using var phase = new Phase(options, clock, Instant.Never, stop);
        try
        {
            phase.Enter("the answer to how it is", options.FirstDeltaMs);
            using var response = await _http.SendAsync(request, phase.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
                return null;
            var words = await WholeAnswer.RefusalAsync(response, HealthBytesMax, options, phase).ConfigureAwait(false);
            return GatewayFaults.Of(Name, response, words, clock.Time.GetUtcNow()).Fault;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return phase.Explain(Name, e);
        }
    }

    private void Authorize(HttpRequestMessage request, string key)
    {
        if (key.Length > 0 && _isAzure)
            request.Headers.TryAddWithoutValidation("api-key", key);
        else if (key.Length > 0)
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + key);
    }

    private static async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext connection, Clock clock, CancellationToken stop)
    {
        if (connection.InitialRequestMessage.Options.TryGetValue(Connecting, out var connect))
            connect.Began = clock.Now;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(connection.DnsEndPoint, stop).ConfigureAwait(false);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new NetworkStream(socket, ownsSocket: true);
    }
}

/// <summary>Takes the time that a call's connection took to make: the name, the socket, TLS.</summary>
internal sealed class ConnectTime
{
    /// <summary>When that began.</summary>
    public Instant Began { get; set; }

    /// <summary>Zero when a connection was there.</summary>
    public TimeSpan Took { get; set; }
}

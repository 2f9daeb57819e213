using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using Spillway.Config;
using Spillway.Telemetry;
using Spillway.Telemetry.Otlp;

namespace Spillway.Engine.Otlp;

/// <summary>
/// Posts one signal's payloads by OTLP/HTTP. Tries again where the protocol says that it may help (429, 502, 503, 504,
/// no connection), at most <see cref="AttemptsMax"/> times, after the time that the receiver asks for or 1 s, then 2 s.
/// One payload at a time; never throws for what a receiver does.
/// </summary>
internal sealed class OtlpSender(OtlpTarget target, TimeProvider time) : IDisposable
{
    private const int AttemptsMax = 3;
    private const int ResponseBytesMax = 4096;

    private static readonly TimeSpan s_waitMax = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http = Client(target.Endpoint);

    /// <summary>Where to, for messages; without a query, which may hold a key.</summary>
    public string Endpoint { get; } = target.Endpoint.GetLeftPart(UriPartial.Path);

    /// <summary>Sends a payload.</summary>
    /// <param name="payload">Protocol Buffers; not kept.</param>
    /// <param name="patient">Ends the waits between attempts, not an attempt.</param>
    /// <param name="stop">Ends everything.</param>
    public async Task<(OtlpResult Result, string Why)> SendAsync(
        ReadOnlyMemory<byte> payload, CancellationToken patient, CancellationToken stop)
    {
        var body = target.Gzip ? Compress(payload.Span) : payload;
        for (var attempt = 1; ; attempt++)
        {
            var (result, why, after) = await TryAsync(body, stop).ConfigureAwait(false);
            if (result is not OtlpResult.Unreachable || attempt == AttemptsMax || patient.IsCancellationRequested)
                return (result, why);
            var wait = after ?? TimeSpan.FromSeconds(attempt);
            await Task.Delay(wait < s_waitMax ? wait : s_waitMax, time, patient)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<(OtlpResult Result, string Why, TimeSpan? After)> TryAsync(
        ReadOnlyMemory<byte> body, CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(target.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
        try
        {
            using var request = Request(body);
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token)
                .ConfigureAwait(false);
            var (said, length) = await ReadAsync(response, either.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
                return Taken(said.AsSpan(0, length));
            var result = IsTransient(response.StatusCode) ? OtlpResult.Unreachable : OtlpResult.Refused;
            return (result, $"it answered {(int)response.StatusCode}", response.Headers.RetryAfter?.Delta);
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return (OtlpResult.Unreachable, error.Message, null);
        }
        catch (OperationCanceledException)
        {
            var limit = target.Timeout.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture);
            return (OtlpResult.Unreachable,
                stop.IsCancellationRequested ? "the server stopped first" : $"no answer within {limit} ms", null);
        }
    }

    private static (OtlpResult Result, string Why, TimeSpan? After) Taken(ReadOnlySpan<byte> said)
    {
        var (rejected, why) = PartialSuccess.Read(said);
        return (OtlpResult.Sent, rejected > 0 ? $"{rejected} of the items were rejected: {why}" : "", null);
    }

    private static bool IsTransient(HttpStatusCode status) => status is HttpStatusCode.TooManyRequests
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    private static async Task<(byte[] Bytes, int Length)> ReadAsync(
        HttpResponseMessage response, CancellationToken cancellation)
    {
        var bytes = new byte[ResponseBytesMax];
        var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await using var _ = stream.ConfigureAwait(false);
        return (bytes, await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation)
            .ConfigureAwait(false));
    }

    private static ReadOnlyMemory<byte> Compress(ReadOnlySpan<byte> payload)
    {
        using var into = new MemoryStream();
        using (var gzip = new GZipStream(into, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(payload);
        return into.GetBuffer().AsMemory(0, (int)into.Length);
    }

    /// <summary>Without redirects: headers may hold keys. Without a proxy to this machine itself.</summary>
    private static HttpClient Client(Uri endpoint) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false, UseProxy = !endpoint.IsLoopback, UseCookies = false,
        ActivityHeadersPropagator = null,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private HttpRequestMessage Request(ReadOnlyMemory<byte> body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, target.Endpoint)
        {
            Content = new ReadOnlyMemoryContent(body),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        if (target.Gzip)
            request.Content.Headers.ContentEncoding.Add("gzip");
        foreach (var (name, value) in target.Headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }
}

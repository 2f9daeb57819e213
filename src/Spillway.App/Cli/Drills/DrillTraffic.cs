using System.Net.Http.Headers;
using Spillway.App.Load;

namespace Spillway.App.Cli.Drills;

/// <summary>
/// A steady trickle of requests while a drill runs, each due at its own instant however the server fares, and what came
/// of each. At most <see cref="InFlightMax"/> at once.
/// </summary>
internal sealed class DrillTraffic : IAsyncDisposable
{
    private const int InFlightMax = 1024;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly List<DrillSample> _samples = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly LoadClock _clock = new(TimeProvider.System);
    private readonly HttpClient _http;
    private readonly string _path;
    private readonly IReadOnlyList<RequestContent> _contents;
    private readonly IReadOnlyList<string> _headers;
    private readonly double _everyMs;
    private readonly Task _sending;
    private int _inFlight;

    private DrillTraffic(
        ServerPlace place, string served, IReadOnlyList<RequestContent> contents, IReadOnlyList<string> headers,
        double rate)
    {
        _http = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false })
        {
            BaseAddress = new(place.Address), Timeout = s_patience,
        };
        ServerClient.Authorize(_http, place.Key);
        (_path, _contents, _headers) = ($"/v2/models/{Uri.EscapeDataString(served)}/infer", contents, headers);
        _everyMs = 1000 / rate;
        _sending = Task.Run(SendAsync);
    }

    /// <summary>Begins to send.</summary>
    /// <param name="place">The server.</param>
    /// <param name="served">What is asked.</param>
    /// <param name="contents">Taken in turns.</param>
    /// <param name="headers">Of every request, as lines.</param>
    /// <param name="rate">A second.</param>
    public static DrillTraffic Start(
        ServerPlace place, string served, IReadOnlyList<RequestContent> contents, IReadOnlyList<string> headers,
        double rate) => new(place, served, contents, headers, rate);

    /// <summary>Since it began.</summary>
    public double NowMs => _clock.Now / (double)LoadClock.PerMillisecond;

    /// <summary>What came of each that is over, in the order in which they were due.</summary>
    public IReadOnlyList<DrillSample> Samples
    {
        get
        {
            lock (_lock)
                return [.. _samples.OrderBy(s => s.AtMs)];
        }
    }

    /// <summary>Sends no more and waits for those under way.</summary>
    public async ValueTask StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
        var until = NowMs + s_patience.TotalMilliseconds;
        while (Volatile.Read(ref _inFlight) > 0 && NowMs < until)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_stop.IsCancellationRequested)
            await StopAsync().ConfigureAwait(false);
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task SendAsync()
    {
        try
        {
            for (var n = 0L; ; n++)
            {
                var due = n * _everyMs;
                if (TimeSpan.FromMilliseconds(due - NowMs) is { Ticks: > 0 } left)
                    await Task.Delay(left, TimeProvider.System, _stop.Token).ConfigureAwait(false);
                _stop.Token.ThrowIfCancellationRequested();
                if (Interlocked.Increment(ref _inFlight) <= InFlightMax)
                    _ = AskAsync(_contents[(int)(n % _contents.Count)], due);
                else
                    Keep(new(due, 0, DrillOutcome.Lost, "too_many_in_flight"));
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async Task AskAsync(RequestContent content, double due)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _path)
            {
                Content = new ByteArrayContent(content.Body),
            };
            foreach (var line in content.Headers.Concat(_headers))
            {
                var (name, value) = Quantity.Pair(line, ':');
                if (!request.Headers.TryAddWithoutValidation(name!, value.Trim()))
                    request.Content.Headers.TryAddWithoutValidation(name!, value.Trim());
            }

            using var response = await _http.SendAsync(request, CancellationToken.None).ConfigureAwait(false);
            Keep(Of(response, due, NowMs - due));
        }
        catch (Exception gone) when (gone is HttpRequestException or OperationCanceledException or IOException)
        {
            Keep(new(due, NowMs - due, DrillOutcome.Lost, gone is HttpRequestException ? "broken" : "no_answer"));
        }
    }

    private void Keep(in DrillSample sample)
    {
        lock (_lock)
            _samples.Add(sample);
        Interlocked.Decrement(ref _inFlight);
    }

    private static DrillSample Of(HttpResponseMessage response, double due, double took)
    {
        var headers = response.Headers;
        var id = One(headers, "X-Request-Id") ?? "";
        if (!response.IsSuccessStatusCode)
        {
            var fault = One(headers, "X-Spillway-Fault") ?? $"status_{(int)response.StatusCode}";
            return new(due, took, DrillOutcome.Refused, fault, id);
        }

        var outcome = One(headers, "X-Spillway-Degraded") is null ? DrillOutcome.Full : DrillOutcome.Degraded;
        var isHit = One(headers, "X-Spillway-Cache") is "hit" or "stale" or "joined";
        return new(due, took, outcome, One(headers, "X-Spillway-Step") ?? "", id, isHit);
    }

    private static string? One(HttpResponseHeaders headers, string name) =>
        headers.TryGetValues(name, out var values) ? values.First() : null;
}

using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Telemetry;
using Spillway.Telemetry.Otlp;

namespace Spillway.Engine.Otlp;

/// <summary>
/// Sends finished requests as spans, and every instrument as metrics, to an OTLP/HTTP receiver. The request path
/// copies a record into a bounded queue and goes on; two loops of this class do the rest. A receiver that is slow or
/// away costs spans, which are counted (spillway_otlp_traces_total), never time of a request and never more memory.
/// Without an endpoint there is no exporter and the request path only finds no queue.
/// </summary>
/// <remarks>
/// Own and small instead of the OpenTelemetry SDK: spans are made of records that exist anyway, after the fact, with
/// the stages' own times; the SDK wants an Activity on the request path for each, and cannot be given a histogram that
/// somebody else counted. See docs/adr/0010-own-otlp-exporter.md.
/// </remarks>
public sealed partial class OtlpExporter : IAsyncDisposable
{
    /// <summary>The most time that a stop waits for what is left to be sent.</summary>
    public static readonly TimeSpan StopMax = TimeSpan.FromSeconds(5);

    private readonly Recorder _recorder;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly InstrumentRegistry _registry;
    private readonly OtlpInstruments _instruments;
    private readonly SpanQueue _queue;
    private readonly OtlpSettings _settings;
    private readonly TracesPayload _traces;
    private readonly MetricsPayload _metrics;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _abandon = new();
    private Task _tracing = Task.CompletedTask;
    private Task _measuring = Task.CompletedTask;
    private int _stopped;

    private OtlpExporter(OtlpSettings settings, Recorder recorder, TimeProvider time, ILogger logger, string version)
    {
        (_settings, _recorder, _time, _logger, _registry) = (settings, recorder, time, logger, recorder.Registry);
        var seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        var ids = new SpanIds(seed);
        List<KeyValuePair<string, string>> resource = [.. settings.Resource];
        if (resource.TrueForAll(pair => pair.Key != "service.version"))
            resource.Add(new("service.version", version));
        if (resource.TrueForAll(pair => pair.Key != "service.instance.id"))
            resource.Add(new("service.instance.id", new TraceId(ids.Next(), ids.Next()).ToString()));
        _traces = new(resource, version, ids);
        _metrics = new(resource, version, time.GetUtcNow());
        // Half a queue is worth an export before its time, if it fills a batch or not.
        _queue = new(settings.QueueLengthMax, Math.Min(settings.BatchMax, (settings.QueueLengthMax + 1) / 2),
            new(settings.SampleRatio, settings.ParentBased, settings.Slow), Wake);
        _instruments = new(_registry, _queue.Dropped);
        recorder.Spans = settings.Traces is null ? null : _queue;
    }

    /// <summary>
    /// Begins to export, or says why not: null when no endpoint is configured. Call before the server answers.
    /// </summary>
    /// <param name="settings">Where to, and how.</param>
    /// <param name="recorder">Whose requests and instruments.</param>
    /// <param name="time">The clock of intervals and timestamps.</param>
    /// <param name="logger">Told when a receiver goes away and when it is back.</param>
    /// <param name="version">Spillway's version.</param>
    public static OtlpExporter? Start(
        OtlpSettings settings, Recorder recorder, TimeProvider time, ILogger<OtlpExporter> logger, string version)
    {
        foreach (var warning in settings.Warnings)
            Log.Variable(logger, warning);
        if (!settings.Enabled)
            return null;
        var exporter = new OtlpExporter(settings, recorder, time, logger, version);
        exporter.Begin();
        return exporter;
    }

    /// <summary>Sends what is left, for <see cref="StopMax"/> at most. Call when no request is under way.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0)
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        Wake();
        // The system's clock: a stop must end also where the other one stands still.
        using var most = new CancellationTokenSource(StopMax);
        using var give = most.Token.UnsafeRegister(
            static abandon => ((CancellationTokenSource)abandon!).Cancel(), _abandon);
        await Task.WhenAll(_tracing, _measuring).ConfigureAwait(false);
        // Nobody empties the queue from here on.
        _recorder.Spans = null;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _stopping.Dispose();
        _abandon.Dispose();
        _wake.Dispose();
    }

    private void Begin()
    {
        if (_settings.Traces is { } traces)
            _tracing = Task.Run(() => TraceAsync(traces));
        if (_settings.Metrics is { } metrics)
            _measuring = Task.Run(() => MeasureAsync(metrics));
    }

    private void Wake()
    {
        // One permit is enough; a second only costs a look at an empty queue.
        if (_wake.CurrentCount == 0)
            _wake.Release();
    }

    private async Task TraceAsync(OtlpTarget target)
    {
        using var sender = new OtlpSender(target, _time);
        var health = new Health(_logger, "traces", sender.Endpoint);
        var (proto, batch) = (new ProtoWriter(), new RequestRecord[_settings.BatchMax]);
        var timer = _time.CreateTimer(_ => Wake(), null, _settings.TraceDelay, _settings.TraceDelay);
        await using var _ = timer.ConfigureAwait(false);
        while (!_stopping.IsCancellationRequested)
        {
            await _wake.WaitAsync(_stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await FlushAsync(sender, health, proto, batch).ConfigureAwait(false);
        }

        // A request may have ended between the last look and the stop.
        await FlushAsync(sender, health, proto, batch).ConfigureAwait(false);
        for (int left; (left = _queue.Take(batch)) > 0;)
            _instruments.Lost(OtlpResult.Unreachable, left);
    }

    /// <summary>Sends until the queue is empty, or the receiver fails: then the rest waits for the next time.</summary>
    private async Task FlushAsync(OtlpSender sender, Health health, ProtoWriter proto, RequestRecord[] batch)
    {
        int taken;
        while ((taken = _queue.Take(batch)) > 0)
        {
            _traces.Write(proto, batch.AsSpan(0, taken));
            Array.Clear(batch, 0, taken);
            var (result, why) = await sender.SendAsync(proto.Written, _stopping.Token, _abandon.Token)
                .ConfigureAwait(false);
            _instruments.Traces(result, taken);
            health.Saw(result, why);
            if (result is OtlpResult.Unreachable)
                return;
        }
    }

    private async Task MeasureAsync(OtlpTarget target)
    {
        using var sender = new OtlpSender(target, _time);
        var health = new Health(_logger, "metrics", sender.Endpoint);
        var proto = new ProtoWriter();
        using var timer = new PeriodicTimer(_settings.MetricsInterval, _time);
        while (!_stopping.IsCancellationRequested)
        {
            await ((Task)timer.WaitForNextTickAsync(_stopping.Token).AsTask())
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _metrics.Write(proto, _registry, _time.GetUtcNow());
            var (result, why) = await sender.SendAsync(proto.Written, _stopping.Token, _abandon.Token)
                .ConfigureAwait(false);
            _instruments.Metrics(result);
            health.Saw(result, why);
        }
    }

    /// <summary>Logs when a receiver begins to fail and when it is back, and not each time between.</summary>
    private sealed class Health(ILogger logger, string signal, string endpoint)
    {
        private bool _failing;

        public void Saw(OtlpResult result, string why)
        {
            if (result is not OtlpResult.Sent)
            {
                if (!_failing)
                    Log.Failing(logger, signal, endpoint, why);
            }
            else if (_failing)
            {
                Log.Back(logger, signal, endpoint);
            }
            else if (why.Length > 0)
            {
                Log.Partial(logger, signal, endpoint, why);
            }

            _failing = result is not OtlpResult.Sent;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4101, LogLevel.Warning, "{Warning}")]
        public static partial void Variable(ILogger logger, string warning);

        [LoggerMessage(4102, LogLevel.Warning,
            "OTLP {Signal} cannot be sent to {Endpoint}: {Why}. It is tried again; what finds no room is dropped and "
            + "counted in spillway_otlp_traces_total")]
        public static partial void Failing(ILogger logger, string signal, string endpoint, string why);

        [LoggerMessage(4103, LogLevel.Information, "OTLP {Signal} arrive at {Endpoint} again")]
        public static partial void Back(ILogger logger, string signal, string endpoint);

        [LoggerMessage(4104, LogLevel.Warning, "OTLP {Signal} at {Endpoint}: {Why}")]
        public static partial void Partial(ILogger logger, string signal, string endpoint, string why);
    }
}

using System.Globalization;
using Microsoft.Extensions.Logging;
using Spillway.Policies.Pricing;
using Spillway.Store.Ledger;
using Spillway.Telemetry;

namespace Spillway.Engine.Billing;

/// <summary>
/// The background of costs: accounts for idle time and looks at the thresholds every ten seconds, and ends the ledger
/// cleanly. One a server that has prices; stopped and awaited after the last request.
/// </summary>
internal sealed partial class CostWatch : IAsyncDisposable
{
    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(10);

    private readonly Costs _costs;
    private readonly ILedger? _ledger;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Alert[] _alerts;
    private Task _watching = Task.CompletedTask;
    private long _lostTold;
    private int _stopped;

    private CostWatch(Costs costs, PricesOptions options, TimeProvider time, ILogger logger)
    {
        (_costs, _ledger, _time, _logger) = (costs, costs.Ledger, time, logger);
        _alerts = [.. options.Alerts.SelectMany(a => Alert.Of(a.Key, a.Value))];
    }

    /// <summary>The ledger; null for none.</summary>
    public ILedger? Ledger => _ledger;

    /// <summary>Begins; call before the server answers.</summary>
    /// <param name="costs">With its ledger.</param>
    /// <param name="options">The thresholds.</param>
    /// <param name="registry">Shows what it counts.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of thresholds and losses.</param>
    public static CostWatch Start(
        Costs costs, PricesOptions options, InstrumentRegistry registry, TimeProvider time, ILogger<CostWatch> logger)
    {
        var watch = new CostWatch(costs, options, time, logger);
        if (costs.Ledger is { } ledger)
        {
            registry.Add(watch, watch.Series(ledger));
            if (ledger.LostBefore is { Entries: > 0 } lost)
                Log.LostBefore(logger, lost.Entries, new Money(lost.Nano).ToString(), costs.Prices!.Currency);
        }

        watch._watching = Task.Run(watch.WatchAsync);
        return watch;
    }

    /// <summary>Told by the ledger that writing fails, or succeeds again.</summary>
    public static void LedgerChanged(ILogger logger, LedgerFailure onFailure, Fault? trouble)
    {
        if (trouble is null)
            Log.Writes(logger);
        else
            Log.Fails(logger, trouble.Message, onFailure is LedgerFailure.Refuse
                ? "new requests are refused until it can"
                : "requests are answered, and what the queue cannot hold is lost");
    }

    /// <summary>Everything until now is accounted for and written, as far as it can be.</summary>
    public async Task SettleAsync()
    {
        _costs.AccountIdle();
        if (_ledger is not null)
            await _ledger.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Accounts for the rest and ends the ledger. After the last request.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0)
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        _costs.AccountIdle(last: true);
        if (_ledger is null)
            return;
        await _ledger.StopAsync().ConfigureAwait(false);
        var end = _ledger.Look();
        if (end.Waiting > 0)
            Log.LeftBehind(_logger, end.Waiting, end.Trouble?.Message ?? "");
        await _ledger.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(s_every, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
                Look();
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    /// <summary>One look: idle time, losses, thresholds.</summary>
    internal void Look()
    {
        _costs.AccountIdle();
        if (_ledger is null)
            return;
        if (_ledger.Look().Lost is var lost && lost > _lostTold)
        {
            Log.Lost(_logger, lost - _lostTold);
            _lostTold = lost;
        }

        foreach (var alert in _alerts)
            Judge(alert);
    }

    private void Judge(Alert alert)
    {
        var now = _time.GetUtcNow();
        var from = alert.Daily ? new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero)
            : DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds() / 3600 * 3600);
        var query = new CostQuery(CostGroup.Owner, from, now.AddHours(1))
        {
            Tenant = alert.Options.Tenant, Model = alert.Options.Model, Owner = alert.Options.Owner,
        };
        if (!_ledger!.Read(query).TryGet(out var report, out var fault))
        {
            Log.NotRead(_logger, fault.Message);
            return;
        }

        var spent = report.Total.Total;
        alert.Spent = spent;
        if (spent.Nano < alert.Limit.Nano || alert.ToldFor == from)
            return;
        alert.ToldFor = from;
        Log.Threshold(
            _logger, alert.Name, spent.ToString(), _costs.Prices!.Currency, alert.Daily ? "day" : "hour",
            from.ToString("yyyy-MM-ddTHH:mmZ", CultureInfo.InvariantCulture), alert.Limit.ToString());
    }

    private IEnumerable<Series> Series(ILedger ledger) => LedgerInstruments.Of(new()
    {
        Waiting = () => ledger.Look().Waiting, Capacity = () => ledger.Look().Capacity,
        Written = () => ledger.Look().Written, Lost = () => ledger.Look().Lost,
        LostBefore = () => ledger.LostBefore.Entries, Failures = () => ledger.Look().Failures,
        WriteSeconds = () => ledger.Look().WriteTime.TotalSeconds,
    }).Concat(_alerts.SelectMany(a => LedgerInstruments.Threshold(
        a.Name, a.Daily ? "day" : "hour", () => Units(a.Spent), () => Units(a.Limit))));

    private static double Units(Money amount) => (double)((decimal)amount.Nano / Amounts.NanoPerUnit);

    /// <summary>One threshold of one length of time.</summary>
    private sealed class Alert(string name, CostAlertOptions options, bool daily, Money limit)
    {
        private long _spent;

        public string Name => name;

        public CostAlertOptions Options => options;

        public bool Daily => daily;

        public Money Limit => limit;

        public DateTimeOffset ToldFor { get; set; }

        public Money Spent
        {
            get => new(Interlocked.Read(ref _spent));
            set => Interlocked.Exchange(ref _spent, value.Nano);
        }

        public static IEnumerable<Alert> Of(string name, CostAlertOptions options)
        {
            if (options.PerHour > 0)
                yield return new(name, options, daily: false, Amounts.Of(options.PerHour));
            if (options.PerDay > 0)
                yield return new(name, options, daily: true, Amounts.Of(options.PerDay));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4401, LogLevel.Error, "The ledger cannot be written: {Why} Meanwhile {Meanwhile}")]
        public static partial void Fails(ILogger logger, string why, string meanwhile);

        [LoggerMessage(4402, LogLevel.Warning, "The ledger can be written again")]
        public static partial void Writes(ILogger logger);

        [LoggerMessage(4403, LogLevel.Error,
            "The ledger's queue was full: {Entries} entries are lost. Raise ledger.queueLengthMax, or give it a "
            + "faster disk")]
        public static partial void Lost(ILogger logger, long entries);

        [LoggerMessage(4404, LogLevel.Warning,
            "The process before this one ended with {Entries} ledger entries of {Amount} {Currency} not written; they "
            + "stand in the table gaps")]
        public static partial void LostBefore(ILogger logger, long entries, string amount, string currency);

        [LoggerMessage(4405, LogLevel.Error, "{Entries} ledger entries could not be written at the stop: {Why}")]
        public static partial void LeftBehind(ILogger logger, int entries, string why);

        [LoggerMessage(4406, LogLevel.Warning,
            "Cost threshold {Name}: {Spent} {Currency} in the {Window} from {From}, at or above {Limit}")]
        public static partial void Threshold(
            ILogger logger, string name, string spent, string currency, string window, string from, string limit);

        [LoggerMessage(4407, LogLevel.Warning, "The ledger could not be read for the cost thresholds: {Why}")]
        public static partial void NotRead(ILogger logger, string why);
    }
}

using System.Collections.Concurrent;
using Spillway.Config;
using Spillway.Policies.Pricing;
using Spillway.Runtimes;
using Spillway.Store.Ledger;
using Spillway.Telemetry;

namespace Spillway.Engine.Billing;

/// <summary>
/// Everything that costs in one server: prices of deployments, hardware that runs or stands by, counters, and the
/// ledger where there is one. Takes finished requests. Thread-safe.
/// </summary>
/// <param name="prices">Null where none are configured; then only what runtimes declare is billed.</param>
/// <param name="clock">The clock.</param>
internal sealed class Costs(PriceList? prices, Clock clock) : IRecordSink
{
    private readonly ConcurrentDictionary<(string Model, string Owner), CostCounters> _counters = new();
    private readonly ConcurrentDictionary<string, HardwareMeter> _meters = new(StringComparer.Ordinal);

    /// <summary>The prices; null for none.</summary>
    public PriceList? Prices => prices;

    /// <summary>The ledger; null for none. Set before serving.</summary>
    public ILedger? Ledger { get; set; }

    /// <summary>Where counters are shown; null shows none. Set before serving.</summary>
    public InstrumentRegistry? Registry { get; set; }

    /// <summary>
    /// What a deployment about to serve is billed by; null where nothing has a price; a fault where prices are
    /// configured and none covers it.
    /// </summary>
    /// <param name="options">Its declaration.</param>
    /// <param name="traits">What its runtime declares.</param>
    /// <param name="replicas">Where it runs, in the order of its runners.</param>
    public Outcome<DeploymentBilling?> Open(
        ModelOptions options, RuntimeTraits traits, IReadOnlyList<Device> replicas)
    {
        // A device carries as many runs at once as it says, or as the deployment has runners on it.
        List<(string Name, int Places)> devices =
            [.. replicas.GroupBy(d => d.Name).Select(d => (d.Key, Math.Max(d.First().Parallelism, d.Count())))];
        var model = new ModelRef(
            options.Name, options.Version.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (prices is null)
        {
            return traits.PricePerRun == Money.Zero && traits.PricePerRow == Money.Zero
                ? default(Outcome<DeploymentBilling?>)
                : new DeploymentBilling(
                    this, model, options.Owner, Tariff.Declared(traits.PricePerRun, traits.PricePerRow, devices.Count),
                    new HardwareMeter?[devices.Count]);
        }

        if (!prices.TariffOf(options.Name, devices, traits.PricePerRun, traits.PricePerRow)
            .TryGet(out var tariff, out var fault))
            return fault;
        Counters(options.Name, options.Owner);
        return new DeploymentBilling(
            this, model, options.Owner, tariff, [.. devices.Select(d => Meter(options.Name, d.Name))]);
    }

    /// <inheritdoc/>
    public void Offer(in RequestRecord record)
    {
        // A stream that broke off is billed for what its caller has of it.
        var answered = record.Outcome is null || record.Chat is { IsPartial: true };
        if (!answered && record.Busy == TimeSpan.Zero && record.Wasted.Total == Money.Zero)
            return;
        var amounts = answered ? record.Charged : record.Wasted;
        var counters = Counters(record.Deployment, record.Owner);
        (answered ? counters.Billed : counters.Waste).Add(amounts.Total.Nano);
        Ledger?.Offer(new()
        {
            UnixMs = (record.Started + record.Stages.Total).ToUnixTimeMilliseconds(),
            Kind = answered ? EntryKind.Bill : EntryKind.Waste, Tenant = record.Caller.Tenant, Key = record.Caller.Key,
            Route = record.Model, Model = record.Deployment, Version = record.Version, Owner = record.Owner,
            Hardware = record.Hardware, RequestId = record.RequestId, Rows = record.Rows,
            BusyTicks = record.Busy.Ticks, Time = amounts.Time, Run = amounts.Run, PerRow = amounts.Rows,
            Request = amounts.Request, Tokens = amounts.Tokens, Used = record.Chat?.Used ?? default,
        });
    }

    /// <summary>Work that ran for nobody.</summary>
    public void Wasted(in LedgerEntry entry)
    {
        Counters(entry.Model, entry.Owner).Waste.Add(entry.Total.Nano);
        Ledger?.Offer(entry);
    }

    /// <summary>
    /// Accounts for the idle time of all hardware until now, in equal parts for the models that stand on it.
    /// </summary>
    /// <param name="last">Whether this is the last time.</param>
    public void AccountIdle(bool last = false)
    {
        var (now, wall) = (clock.Now, clock.Time.GetUtcNow());
        foreach (var meter in _meters.Values)
        {
            var (idle, members) = meter.Look(now, wall, last);
            if (idle == Money.Zero)
                continue;
            if (members.Length == 0)
                Idle(meter.Name, new("", ""), "", idle, wall);
            for (var i = 0; i < members.Length; i++)
            {
                Idle(
                    meter.Name, members[i].Model, members[i].Owner, new(Shares.Of(idle.Nano, i, 1, members.Length)),
                    wall);
            }
        }
    }

    private void Idle(string hardware, ModelRef model, string owner, Money amount, DateTimeOffset wall)
    {
        Counters(model.Name, owner).Idle.Add(amount.Nano);
        Ledger?.Offer(new()
        {
            UnixMs = wall.ToUnixTimeMilliseconds(), Kind = EntryKind.Idle, Model = model.Name, Version = model.Version,
            Owner = owner, Hardware = hardware, Time = amount,
        });
    }

    private HardwareMeter? Meter(string model, string device) => prices!.Hour(model, device) is { } hour
        ? _meters.GetOrAdd(prices.Hardware(model, device), static (name, of) => new(name, of.hour, of.Now),
            (hour, clock.Now))
        : null;

    private CostCounters Counters(string model, string owner)
    {
        if (_counters.TryGetValue((model, owner), out var known))
            return known;
        var made = new CostCounters();
        if (!_counters.TryAdd((model, owner), made))
            return _counters[(model, owner)];
        Registry?.Add(made, made.Series(model, owner));
        return made;
    }
}

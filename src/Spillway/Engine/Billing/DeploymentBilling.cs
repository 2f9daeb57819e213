using Spillway.Policies.Pricing;
using Spillway.Store.Ledger;

namespace Spillway.Engine.Billing;

/// <summary>
/// What the runs of one deployment cost: shares out each run among its requests, exactly. Those that nobody waits for
/// any more are waste of the model. Thread-safe, 0 B a run.
/// </summary>
internal sealed class DeploymentBilling : IDisposable
{
    private readonly Costs _costs;
    private readonly HardwareMeter?[] _meters;

    /// <summary>Stands on its hardware from now on.</summary>
    /// <param name="costs">The server's.</param>
    /// <param name="model">Name and version.</param>
    /// <param name="owner">Who answers for it; may be empty.</param>
    /// <param name="tariff">Its prices.</param>
    /// <param name="meters">One for each of its devices; null for hardware without a price.</param>
    public DeploymentBilling(
        Costs costs, ModelRef model, string owner, Tariff tariff, IReadOnlyList<HardwareMeter?> meters)
    {
        (_costs, Model, Owner, Tariff, _meters) = (costs, model, owner, tariff, [.. meters]);
        foreach (var meter in _meters.Distinct())
            meter?.Join(this);
    }

    /// <summary>Name and version.</summary>
    public ModelRef Model { get; }

    /// <summary>Who answers for it; empty where nobody is declared.</summary>
    public string Owner { get; }

    /// <summary>Its prices.</summary>
    public Tariff Tariff { get; }

    /// <summary>The hardware of one of its devices; empty where it has no price.</summary>
    public string Hardware(int device) => _meters[device]?.Name ?? "";

    /// <summary>
    /// A run ended, well or not: each request that is still waited for gets its share, before it is told of its end.
    /// </summary>
    /// <param name="items">All of the run.</param>
    /// <param name="device">Index of the device it ran on.</param>
    /// <param name="time">How long it took.</param>
    /// <param name="now">For the day's price.</param>
    public void Ran(ReadOnlySpan<Work> items, int device, TimeSpan time, DateTimeOffset now)
    {
        var price = Tariff.At(device, now);
        _meters[device]?.Ran(price.RunTime(time).Nano);
        var (all, before) = (0L, 0L);
        foreach (var work in items)
            all += work.Claim.Rows;
        foreach (var work in items)
        {
            var share = price.Share(time, before, work.Claim.Rows, all);
            before += work.Claim.Rows;
            if (work.Gone)
                Waste(work, device, share, now);
            else
                work.Share = share;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var meter in _meters.Distinct())
            meter?.Leave(this);
    }

    /// <summary>Its caller has its answer, a fault, already; the run went on without it.</summary>
    private void Waste(Work work, int device, in RunShare share, DateTimeOffset now)
    {
        var route = work.Asked.Door.Route;
        _costs.Wasted(new()
        {
            UnixMs = now.ToUnixTimeMilliseconds(), Kind = EntryKind.Waste, Tenant = work.Caller.Tenant,
            Key = work.Caller.Key, Route = route.Model.Name, Model = Model.Name, Version = Model.Version,
            Owner = work.Door.Owner, Hardware = Hardware(device), Rows = work.Claim.Rows,
            BusyTicks = share.Busy.Ticks, Time = share.Time, Run = share.Run,
        });
    }
}

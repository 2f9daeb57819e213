using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Flow.Guards;
using Spillway.Policies.Switching;
using Spillway.Store;
using Spillway.Store.Budgets;

namespace Spillway.Engine.Guards;

/// <summary>
/// What stands at the gate of a server: kill switches always, limits and budgets where they are configured. Without
/// them a request pays for two comparisons. Thread-safe once open.
/// </summary>
public sealed class Guarding : IAsyncDisposable
{
    private volatile Snapshot _snapshot;
    private readonly Clock _clock;
    private readonly ILogger _logger;

    /// <summary>Everything is on, and nothing is limited until <see cref="Open"/>.</summary>
    /// <param name="snapshot">The configuration.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Where flips, warnings and troubles are told.</param>
    /// <param name="abort">Ends what is in flight of a target; how many that were.</param>
    internal Guarding(Snapshot snapshot, Clock clock, ILogger logger, Func<SwitchTarget, Fault, int> abort)
    {
        (_snapshot, _clock, _logger) = (snapshot, clock, logger);
        Switches = new(clock.Time, logger, abort);
        FairShares = snapshot.Limits.FairShares;
    }

    /// <summary>The kill switches.</summary>
    internal SwitchDesk Switches { get; }

    /// <summary>Limits and budgets; null where none are configured.</summary>
    internal GuardDesk? Desk { get; private set; }

    /// <summary>Whether tenants share each model's queue by weight.</summary>
    internal bool FairShares { get; }

    /// <summary>The weight of a tenant, for fair shares.</summary>
    internal double WeightOf(string tenant) => _snapshot.Limits.WeightOf(tenant);

    /// <summary>Whether budgets are kept: the first one of a server needs a restart, which opens their store.</summary>
    internal bool KeepsBudgets => Desk?.Writer is not null;

    /// <summary>Other limits and budgets hold for the next request on.</summary>
    internal void Apply(Snapshot snapshot)
    {
        _snapshot = snapshot;
        if (Desk is { } desk)
            desk.Apply(snapshot);
        else if (snapshot.Limits.Rates.Count > 0)
            Desk = WithoutBudgets(snapshot);
    }

    /// <summary>Step 11 of a request: settles what it holds, if anything, at what it cost.</summary>
    /// <param name="work">The request, or an attempt that is over.</param>
    /// <param name="cost">What it cost.</param>
    /// <param name="lost">
    /// What the step that answered spent beside that in vain: the limits and budgets that name its model count it, for
    /// it is paid elsewhere; those of who asked do not.
    /// </param>
    internal void Settle(Work work, Money cost, Money lost = default)
    {
        if (Desk is not { } desk)
            return;
        desk.Settle(work, cost);
        desk.SettleStep(work, cost + lost);
    }

    /// <summary>
    /// Reads what must survive a restart and gets ready; a fault says why the server must not start: a folder that
    /// another one holds, a damaged file.
    /// </summary>
    /// <param name="path">The state folder's absolute path.</param>
    /// <param name="take">Takes it for this process; called only when something is to be written.</param>
    internal Fault? Open(string path, Func<Outcome<StateFolder>> take)
    {
        var off = Switches.Open(path, () => take().TryGet(out var folder, out var held) ? folder.Path : held,
            TimeSpan.FromMilliseconds(_snapshot.Limits.OffFileMs));
        if (off is not null || (_snapshot.Limits.Rates.Count == 0 && _snapshot.Budgets.Count == 0))
            return off;
        if (_snapshot.Budgets.Count == 0)
        {
            Desk = WithoutBudgets(_snapshot);
            return null;
        }

        if (!take().TryGet(out var state, out var fault))
            return fault;
        return OpenBudgets(state, new(_clock));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Switches.Dispose();
        if (Desk is { } desk)
            await desk.DisposeAsync().ConfigureAwait(false);
    }

    private GuardDesk WithoutBudgets(Snapshot snapshot)
    {
        var clock = new GuardClock(_clock);
        return new(snapshot, clock, new(snapshot.Limits, snapshot.Budgets, [], clock), _logger);
    }

    private Fault? OpenBudgets(StateFolder state, GuardClock clock)
    {
        if (!SliceStore.Open(state.FileOf(SliceStore.FileName)).TryGet(out var store, out var fault))
            return fault;
        if (!store.Load(_clock.Time.GetUtcNow()).TryGet(out var rows, out fault))
        {
            store.Dispose();
            return fault;
        }

        var states = new GuardStates(_snapshot.Limits, _snapshot.Budgets, rows, clock);
        var writer = new SliceWriter(store, states, clock, Switches.Counts, _logger);
        writer.Start();
        Desk = new(_snapshot, clock, states, _logger) { Writer = writer };
        foreach (var budget in Desk.Budgets().Where(b => b.State.Lost > Money.Zero))
        {
            GuardLog.Lost(
                _logger, GuardRefusals.Text(budget.State.Lost), budget.Account.Name, budget.Account.Scope);
        }

        return null;
    }
}

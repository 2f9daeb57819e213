using Spillway.Config;
using Spillway.Engine;
using Spillway.Engine.Guards;
using Spillway.Telemetry;

namespace Spillway.Hosting;

/// <summary>Opens kill switches, limits and budgets of a server, and shows them on /metrics.</summary>
internal static class GuardSetup
{
    /// <summary>Once, before the first request.</summary>
    /// <exception cref="SpillwayStartException">The state folder or what lies in it cannot be used.</exception>
    public static Guarding Open(Snapshot snapshot, Serving serving, ServerState state, Recorder recorder)
    {
        var guards = serving.Guards;
        if (guards.Open(snapshot.StateFolder, state.Take) is { } fault)
        {
            guards.Switches.Dispose();
            throw new SpillwayStartException(fault.Message);
        }

        state.Own(guards);
        Show(snapshot, guards, recorder);
        return guards;
    }

    /// <summary>Shows what a configuration has, in place of what was shown before.</summary>
    public static void Show(Snapshot snapshot, Guarding guards, Recorder recorder)
    {
        List<Series> series = [.. guards.Switches.Counts.OfSwitches(() => guards.Switches.Now.Off.Count)];
        if (guards.Desk is { } desk)
        {
            foreach (var name in snapshot.Limits.Rates.Keys)
                series.AddRange(desk.States.RateCounts[name].OfRate(name));
            foreach (var name in snapshot.Budgets.Keys)
                series.AddRange(OfBudget(desk, name, desk.States.BudgetCounts[name]));
            if (snapshot.Budgets.Count > 0)
                series.AddRange(guards.Switches.Counts.OfBudgets());
        }

        recorder.Registry.Replace(guards, series);
    }

    private static IEnumerable<Series> OfBudget(GuardDesk desk, string name, GuardInstruments counts)
    {
        return counts.OfBudget(
            name,
            () => Of().Select(Gone).DefaultIfEmpty().Max(),
            () => Units(b => b.State.Reserved), () => Units(b => b.State.Lost));

        IEnumerable<BudgetView> Of() => desk.Budgets().Where(b => b.Account.Name == name);
        double Gone(BudgetView b) =>
            (double)(b.State.Spent + b.State.Reserved).Nano / b.Account.State.Options.LimitMoney.Nano;
        double Units(Func<BudgetView, Money> of) => (double)Of().Sum(b => (decimal)of(b).Nano) / 1e9;
    }
}

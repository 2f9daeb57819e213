using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Spillway.Policies.Budgets;
using Spillway.Policies.Rates;
using Spillway.Store.Budgets;
using Spillway.Telemetry;

namespace Spillway.Engine.Guards;

/// <summary>
/// The states of every limit and budget, each made with the first request that it counts. Bounded: beyond
/// <see cref="StatesMax"/> of one rule all newcomers share one. Thread-safe.
/// </summary>
internal sealed class GuardStates
{
    /// <summary>States of one rule; more keys or tenants than anybody makes by hand.</summary>
    public const int StatesMax = 100_000;

    /// <summary>The scope of those who found no room.</summary>
    public const string Overflow = "all others";

    private readonly Lock _making = new();
    // A limit that says something else begins anew, as a budget with other windows does; who is in the old one leaves,
    // and settles with, that.
    private readonly Dictionary<(string Rule, string Scope, object Of), HeldRate> _rates = [];
    private readonly Dictionary<(string Rule, string Scope, object Of), HeldBudget> _budgets = [];
    private readonly ConcurrentDictionary<string, GuardInstruments> _rateCounts = [];
    private readonly ConcurrentDictionary<string, GuardInstruments> _budgetCounts = [];
    private readonly ConcurrentQueue<HeldBudget> _all = [];
    private readonly ILookup<(string Budget, string Scope), SliceRow> _kept;
    private readonly GuardClock _clock;
    private IReadOnlyDictionary<string, BudgetOptions> _declared;
    private int _number;

    /// <summary>Nothing was asked for yet.</summary>
    /// <param name="limits">With the names of the rate limits.</param>
    /// <param name="budgets">By name.</param>
    /// <param name="kept">What an earlier process left.</param>
    /// <param name="clock">The clock of budgets.</param>
    public GuardStates(
        LimitsOptions limits, IReadOnlyDictionary<string, BudgetOptions> budgets, IEnumerable<SliceRow> kept,
        GuardClock clock)
    {
        (_clock, _declared) = (clock, budgets);
        _kept = kept.ToLookup(row => (row.Budget, row.Scope));
        Count(limits, budgets);
        // What was spent is shown from the start, also of those who do not come back.
        foreach (var (name, scope) in _kept.Select(rows => rows.Key))
        {
            if (budgets.TryGetValue(name, out var options))
                Budget(name, options, scope);
        }
    }

    /// <summary>Every budget that exists.</summary>
    public IEnumerable<HeldBudget> Budgets => _all;

    /// <summary>What is counted for each rate limit, by its name; also of those that are gone.</summary>
    public IReadOnlyDictionary<string, GuardInstruments> RateCounts => _rateCounts;

    /// <summary>What is counted for each budget, by its name; also of those that are gone.</summary>
    public IReadOnlyDictionary<string, GuardInstruments> BudgetCounts => _budgetCounts;

    /// <summary>
    /// Other rules are in force. Limits that are the same go on, others begin anew; budgets keep what is spent of them.
    /// </summary>
    public void Apply(LimitsOptions limits, IReadOnlyDictionary<string, BudgetOptions> budgets)
    {
        Count(limits, budgets);
        lock (_making)
        {
            _declared = budgets;
            foreach (var key in _rates.Keys.Where(k => !k.Of.Equals(limits.Rates.GetValueOrDefault(k.Rule))).ToList())
                _rates.Remove(key);
        }

        foreach (var budget in _all)
        {
            if (!IsOf(budget, budgets, out var options))
                continue;
            lock (budget.Lock)
                budget.Account.State.Use(options);
        }
    }

    /// <summary>Whether a budget is one of those declared, with its windows.</summary>
    public static bool IsOf(
        HeldBudget budget, IReadOnlyDictionary<string, BudgetOptions> declared,
        [NotNullWhen(true)] out BudgetOptions? options) =>
        declared.TryGetValue(budget.Account.Name, out options)
        && budget.Account.State.Options.HasWindowsOf(options);

    /// <summary>Every rate limit that somebody asked of.</summary>
    public IReadOnlyList<HeldRate> Rates()
    {
        lock (_making)
            return [.. _rates.Values];
    }

    /// <summary>The state of a rate limit for a scope.</summary>
    public HeldRate Rate(string name, RateOptions options, string scope) => Known(
        _rates, name, scope, options, kept => new(++_number, new(name, kept, new(options)), _rateCounts[name]));

    /// <summary>The state of a budget for a scope, with what an earlier process drew for it.</summary>
    public HeldBudget Budget(string name, BudgetOptions options, string scope) =>
        Known(_budgets, name, scope, Windows(options).Identity, kept => Make(name, options, kept));

    private void Count(LimitsOptions limits, IReadOnlyDictionary<string, BudgetOptions> budgets)
    {
        foreach (var name in limits.Rates.Keys)
            _rateCounts.TryAdd(name, new());
        foreach (var name in budgets.Keys)
            _budgetCounts.TryAdd(name, new());
    }

    /// <summary>Made at the first asking; when there are too many, the one that the rest share.</summary>
    private T Known<T>(
        Dictionary<(string, string, object), T> all, string name, string scope, object of, Func<string, T> make)
    {
        lock (_making)
        {
            if (all.TryGetValue((name, scope, of), out var known))
                return known;
            if (all.Count >= StatesMax)
                scope = Overflow;
            if (!all.TryGetValue((name, scope, of), out known))
                all[(name, scope, of)] = known = make(scope);
            return known;
        }
    }

    private static BudgetWindow Windows(BudgetOptions options) => new(
        options.Window, options.Kind, TimeZoneInfo.FindSystemTimeZoneById(options.TimeZone));

    private HeldBudget Make(string name, BudgetOptions options, string scope)
    {
        // Whoever asks may have begun under another declaration.
        if (_declared.TryGetValue(name, out var present) && present.HasWindowsOf(options))
            options = present;
        var window = Windows(options);
        var account = new BudgetAccount(options, window);
        var now = _clock.At(_clock.Now);
        foreach (var row in _kept[(name, scope)].Where(row => row.Window == window.Identity))
            account.Load(new(new(row.Start, row.End), new(row.Drawn), new(row.Spent)), now);
        var budget = new HeldBudget(
            ++_number, new(name, scope, account), window.Identity, _budgetCounts[name]);
        _all.Enqueue(budget);
        return budget;
    }
}

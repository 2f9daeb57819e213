using Spillway.Flow.Guards;
using Spillway.Planner.Outcomes;
using Spillway.Policies.Budgets;
using Spillway.Policies.Guarding;
using Spillway.Policies.Rates;

namespace Spillway.Planner.Routes;

/// <summary>
/// The gate of a simulated route: rate limits and budgets, judged by the production rules (<see cref="GuardSet"/>). The
/// virtual interpreter of what the Engine's GuardDesk carries out live: who has which state, who waits,
/// whose turn it is.
/// The disk is as fast as it must be: a slice of a budget is durable the moment that it is wanted.
/// </summary>
internal sealed class RouteGate
{
    // A draw gives what was asked for; more than a few would be a rule that never has enough.
    private const int DrawsMax = 8;

    private readonly string _route;
    private readonly GateOptions _options;
    private readonly IReadOnlyList<string?> _models;
    private readonly IReadOnlyList<StepPrice?> _prices;
    private readonly Calendar _calendar;
    private readonly Dictionary<(string Tenant, string Key, int Step), Rules> _known = [];
    private readonly Dictionary<(string Rule, string Scope), (Named<RateState> State, GateRule Rule)> _rates = [];
    private readonly Dictionary<(string Rule, string Scope), (Named<BudgetAccount> State, GateRule Rule)> _budgets = [];
    private readonly Dictionary<string, GateCount> _rateCounts;
    private readonly Dictionary<string, GateCount> _budgetCounts;
    private readonly List<Draw> _draws = [];

    /// <summary>Nothing was asked yet.</summary>
    /// <param name="route">The served name.</param>
    /// <param name="options">The rules.</param>
    /// <param name="steps">The model of each step and what its answers cost; nulls where it has none.</param>
    /// <param name="calendar">The route's.</param>
    public RouteGate(
        string route, GateOptions options, IReadOnlyList<(string? Model, StepPrice? Price)> steps, Calendar calendar)
    {
        (_route, _options, _calendar) = (route, options, calendar);
        (_models, _prices) = ([.. steps.Select(s => s.Model)], [.. steps.Select(s => s.Price)]);
        _rateCounts = options.Rates.Keys.ToDictionary(n => n, n => new GateCount(n, IsBudget: false));
        _budgetCounts = options.Budgets.Keys.ToDictionary(n => n, n => new GateCount(n, IsBudget: true));
    }

    /// <summary>What each rule did, limits first.</summary>
    public IReadOnlyList<GateCount> Counts => [.. _rateCounts.Values, .. _budgetCounts.Values];

    /// <summary>Tickets that were given and are not settled.</summary>
    public long Open { get; private set; }

    /// <summary>Every budget that somebody asked of, by its name and scope.</summary>
    public IEnumerable<(string Name, string Scope, BudgetState State)> Budgets =>
        _budgets.Values.Select(b => (b.State.Name, b.State.Scope, b.State.State.Look(Time)));

    /// <summary>The most that an answer of one of the steps can cost: any of them may be the one.</summary>
    public Money CostAtMost(RouteAsk asks, int from, int before = int.MaxValue)
    {
        var most = Money.Zero;
        for (var step = from; step < Math.Min(_prices.Count, before); step++)
        {
            if (_prices[step] is { } price && price.Of(asks.TokensRead, asks.TokensWrittenMax) is var cost
                && cost > most)
                most = cost;
        }

        return most;
    }

    /// <summary>What a step's answer cost.</summary>
    public Money CostOf(RouteAsk asks, int step) => step >= 0 && _prices[step] is { } price
        ? price.Of(asks.TokensRead, asks.TokensWritten) : Money.Zero;

    /// <summary>
    /// Asks every limit and budget that counts a request, or one step of it, and takes what it needs of each or of
    /// none. Tells at once, or when its turn has come or its patience has ended.
    /// </summary>
    public void Enter(GateVisit visit, Action<Fault?> decided)
    {
        visit.Decided = decided;
        if (RulesOf(visit).Set.IsEmpty)
            decided(null);
        else
            Ask(visit);
    }

    /// <summary>It is over: gives back what it holds, if it holds anything.</summary>
    /// <param name="visit">Which.</param>
    /// <param name="cost">What it cost.</param>
    /// <param name="tokens">Tokens that it used, of those that it took.</param>
    public void Settle(GateVisit visit, Money cost, long tokens)
    {
        if (visit.Ticket.Set is not { } set)
            return;
        var rules = RulesOf(visit);
        set.Settle(visit.Ticket, cost, events: null, tokens, _calendar.Now);
        Open--;
        Draw(rules);
        foreach (var rule in rules.All)
            CallNext(rule);
    }

    private BudgetTime Time
    {
        get
        {
            var at = _options.Began.AddTicks(_calendar.Now.Ticks);
            return new(at, at);
        }
    }

    private void Ask(GateVisit visit)
    {
        var (rules, before) = (RulesOf(visit), visit.Line);
        visit.Line = null;
        var answer = Decide(visit, rules);
        if (answer.Says is GuardSays.Wait && RuleOf(rules, answer) is var scarce && scarce.Line.Count >= answer.LineMax)
            answer = new(GuardSays.Refused, GuardRefusals.LineFull(scarce.Name, answer.LineMax), Rate: answer.Rate,
                Budget: answer.Budget);
        if (answer.Says is GuardSays.Wait)
            Stand(visit, RuleOf(rules, answer), answer.Wait);
        // Whoever was called for its turn and cannot take it leaves it to the next in that line.
        if (before is not null && answer.Says is not GuardSays.Passed && visit.Line != before)
            CallNext(before);
        Tell(visit, answer, rules);
    }

    private void Tell(GateVisit visit, in GuardAnswer answer, Rules rules)
    {
        if (answer.Says is GuardSays.Refused)
        {
            CountOf(rules, answer).Refused++;
            visit.Decided(answer.Fault);
            return;
        }

        if (answer.Says is GuardSays.Wait)
        {
            CountOf(rules, answer).Waited++;
            return;
        }

        Open++;
        if (answer.Wait <= TimeSpan.Zero)
        {
            visit.Decided(null);
            return;
        }

        // It has its ticket, and goes on when what it took ahead is there.
        visit.Ticket.Waited += answer.Wait;
        _calendar.Schedule(_calendar.Now + answer.Wait, () => visit.Decided(null));
    }

    private GuardAnswer Decide(GateVisit visit, Rules rules)
    {
        var asks = visit.Asks;
        var rate = new RateAsk(asks.Tenant, _options.WeightOf(asks.Tenant), asks.Items, asks.Bytes,
            asks.TokensRead + asks.TokensWrittenMax);
        for (var draws = 0; draws < DrawsMax; draws++)
        {
            var patience = visit.IsOut ? TimeSpan.Zero
                : visit.Until is { } until ? until - _calendar.Now : TimeSpan.MaxValue;
            var answer = rules.Set.Enter(new(rate, visit.CostAtMost, _calendar.Now, Time, patience), visit.Ticket);
            Draw(rules);
            if (answer.Says is not GuardSays.Draw)
                return answer;
        }

        throw new InvalidOperationException("A simulated budget wants more slices than it has.");
    }

    /// <summary>Makes durable what budgets want to have so.</summary>
    private void Draw(Rules rules)
    {
        foreach (var (budget, _) in rules.Budgets)
        {
            if (!budget.State.WantsDraw)
                continue;
            _draws.Clear();
            budget.State.Plan(Time, ends: false, _draws);
            foreach (var draw in _draws)
                budget.State.Drawn(draw);
        }
    }

    private void Stand(GateVisit visit, GateRule rule, TimeSpan most)
    {
        (visit.Line, visit.WaitsSince) = (rule, _calendar.Now);
        var (node, wait) = (rule.Line.AddLast(visit), ++visit.Wait);
        _calendar.Schedule(_calendar.Now + most, () =>
        {
            if (visit.Wait != wait || node.List is null)
                return;
            // It asks once more, and is then told what is missing.
            rule.Line.Remove(node);
            visit.IsOut = true;
            Again(visit);
        });
    }

    private void CallNext(GateRule rule)
    {
        if (rule.Line.First is not { Value: var next })
            return;
        rule.Line.RemoveFirst();
        var wait = ++next.Wait;
        _calendar.Schedule(_calendar.Now, () =>
        {
            if (next.Wait == wait)
                Again(next);
        });
    }

    private void Again(GateVisit visit)
    {
        visit.Ticket.Waited += _calendar.Now - visit.WaitsSince;
        Ask(visit);
    }

    private static GateRule RuleOf(Rules rules, in GuardAnswer answer) =>
        answer.Rate >= 0 ? rules.Rates[answer.Rate].Rule : rules.Budgets[answer.Budget].Rule;

    private GateCount CountOf(Rules rules, in GuardAnswer answer) => answer.Rate >= 0
        ? _rateCounts[RuleOf(rules, answer).Name] : _budgetCounts[RuleOf(rules, answer).Name];

    /// <summary>
    /// Which rules count it. Of a route those that say nothing of models count the request, once; those that do count
    /// each step that is asked, by its own model.
    /// </summary>
    private Rules RulesOf(GateVisit visit)
    {
        var (tenant, key, step) = (visit.Asks.Tenant, visit.Asks.Key, visit.Step);
        if (_known.TryGetValue((tenant, key, step), out var known))
            return known;
        var model = step < 0 ? "" : _models[step] ?? "";
        var rates = _options.Rates.Where(r => Counts(r.Value)).Select(r => Known(_rates, r.Key, Scope(r.Value),
            scope => new Named<RateState>(r.Key, scope, new(r.Value)))).ToArray();
        var budgets = _options.Budgets.Where(b => Counts(b.Value)).Select(b => Known(_budgets, b.Key, Scope(b.Value),
            scope => new Named<BudgetAccount>(b.Key, scope, new(b.Value, WindowOf(b.Value))))).ToArray();
        return _known[(tenant, key, step)] = new(
            new([.. rates.Select(r => r.State)], [.. budgets.Select(b => b.State)]), rates, budgets);

        bool Counts(ScopedOptions options) =>
            options.Counts(tenant, model, _route) && options.ConcernsModels == (step >= 0);
        string Scope(ScopedOptions options) => options.ScopeOf(key, tenant, model, _route);
    }

    private static (T State, GateRule Rule) Known<T>(
        Dictionary<(string, string), (T State, GateRule Rule)> all, string name, string scope, Func<string, T> make)
    {
        if (!all.TryGetValue((name, scope), out var known))
            all[(name, scope)] = known = (make(scope), new(name));
        return known;
    }

    private static BudgetWindow WindowOf(BudgetOptions options) =>
        new(options.Window, options.Kind, TimeZoneInfo.FindSystemTimeZoneById(options.TimeZone));

    private sealed record Rules(
        GuardSet Set, (Named<RateState> State, GateRule Rule)[] Rates,
        (Named<BudgetAccount> State, GateRule Rule)[] Budgets)
    {
        public GateRule[] All { get; } = [.. Rates.Select(r => r.Rule), .. Budgets.Select(b => b.Rule)];
    }
}

/// <summary>The rules of a simulated gate, and when its calendar begins.</summary>
/// <param name="Rates">Rate limits by name.</param>
/// <param name="Budgets">Budgets by name.</param>
/// <param name="Weights">Of tenants, for fair shares; 1 for each that is not named.</param>
/// <param name="Began">UTC at the first instant, for budgets by the calendar.</param>
internal sealed record GateOptions(
    IReadOnlyDictionary<string, RateOptions> Rates, IReadOnlyDictionary<string, BudgetOptions> Budgets,
    IReadOnlyDictionary<string, double> Weights, DateTime Began)
{
    /// <summary>The weight of a tenant.</summary>
    public double WeightOf(string tenant) => Weights.GetValueOrDefault(tenant, 1);
}

using System.Runtime.CompilerServices;
using Spillway.Policies.Budgets;
using Spillway.Policies.Rates;

namespace Spillway.Engine.Guards;

/// <summary>The limits and budgets in force, and what was resolved under them for each caller.</summary>
/// <param name="limits">The limits.</param>
/// <param name="budgets">By name.</param>
internal sealed class GuardRules(LimitsOptions limits, IReadOnlyDictionary<string, BudgetOptions> budgets)
{
    private readonly ConditionalWeakTable<Caller, CallerGuards> _callers = [];

    /// <summary>The limits.</summary>
    public LimitsOptions Limits => limits;

    /// <summary>Budgets by name.</summary>
    public IReadOnlyDictionary<string, BudgetOptions> Budgets => budgets;

    /// <summary>Whether any of them says something of models, so that steps of routes are asked one by one.</summary>
    public bool CountsModels { get; } =
        limits.Rates.Values.Any(r => r.ConcernsModels) || budgets.Values.Any(b => b.ConcernsModels);

    /// <summary>What was resolved for a caller; goes with it.</summary>
    public CallerGuards Of(Caller caller) => _callers.GetValue(caller, static _ => new());
}

using Spillway.Flow.Guards;
using Spillway.Policies.Budgets;

namespace Spillway.Engine.Guards;

/// <summary>A look at one budget.</summary>
/// <param name="Account">Which.</param>
/// <param name="State">How it stands.</param>
/// <param name="Trouble">Why it cannot be written; null when it can.</param>
internal readonly record struct BudgetView(Named<BudgetAccount> Account, BudgetState State, string? Trouble);

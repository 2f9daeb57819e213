using System.Globalization;
using Spillway.Policies.Budgets;
using Spillway.Policies.Rates;
using Spillway.Policies.Switching;

namespace Spillway.Flow.Guards;

/// <summary>The faults of the gate in words: what happened, the value, the limit, what to do.</summary>
internal static class GuardRefusals
{
    /// <summary>When clients should look again whether a switch is on.</summary>
    private static readonly TimeSpan s_switchRetry = TimeSpan.FromSeconds(5);

    /// <summary>A kill switch.</summary>
    public static Fault Off(SwitchedOff off) => new(
        FaultKind.SwitchedOff,
        (off.Target.Kind is SwitchKind.Everything ? "This server is switched off"
            : $"It is switched off: {off.Target}")
        + (off.Why.Length > 0 ? $" ({off.Why})" : "") + ". " + (off.ByFile
            ? "The operator put the file `off` into the state folder, and takes it away to switch on again."
            : "The operator switches it on again with: spillway switch on"),
        s_switchRetry);

    /// <summary>The caller's key does not have the model.</summary>
    public static Fault NotYours(string route) => new(
        FaultKind.Forbidden,
        $"This key may not use model {route}. Ask for one that has it (spillway keys create --model).");

    /// <summary>A rate limit.</summary>
    public static Fault Rate(Named<RateState> limit, in RateVerdict verdict, in RateLeft left)
    {
        var (options, isKnown) = (limit.State.Options, verdict.Wait < TimeSpan.MaxValue);
        var (what, declared, key) = verdict.Unit switch
        {
            RateUnit.Requests => ("requests a second", options.RequestsPerSecond ?? 0, "requestsPerSecond"),
            RateUnit.Items => ("rows a second", options.ItemsPerSecond ?? 0, "itemsPerSecond"),
            RateUnit.Bytes => ("input bytes a second", options.BytesPerSecond ?? 0, "bytesPerSecond"),
            RateUnit.Tokens => ("tokens a second", options.TokensPerSecond ?? 0, "tokensPerSecond"),
            RateUnit.Concurrency => ("requests at once", options.Concurrency ?? 0, "concurrency"),
        };
        // Nobody knows when the next one leaves; the shortest useful pause is told.
        var after = isKnown ? verdict.Wait : TimeSpan.FromMilliseconds(50);
        return new(
            FaultKind.RateLimited,
            FormattableString.Invariant($"Rate limit {limit.Name}{Of(limit.Scope)}: {declared:0.####} {what}, ")
            + FormattableString.Invariant($"{left.Left} left. Retry after {after.TotalMilliseconds:0.###} ms")
            + $"{(isKnown ? "" : " (when a request of yours is answered)")}, or raise limits.rates.{limit.Name}.{key}.",
            after);
    }

    /// <summary>A budget.</summary>
    public static Fault Budget(Named<BudgetAccount> budget, in BudgetVerdict verdict, Money cost)
    {
        var options = budget.State.Options;
        var back = cost.Nano > options.LimitMoney.Nano
            ? "One request may cost more than the whole budget; make it smaller"
            : verdict.RetryAfter < TimeSpan.MaxValue
                ? $"It is filled up again within {verdict.RetryAfter:d\\.hh\\:mm\\:ss} (d.hh:mm:ss)"
                : "It is not filled up by waiting";
        return new(
            FaultKind.BudgetExhausted,
            $"Budget {budget.Name}{Of(budget.Scope)}: {Text(verdict.Left)} of {Text(options.LimitMoney)} a "
            + $"{options.Window.ToString().ToLowerInvariant()} is left, and this request may cost up to {Text(cost)}. "
            + $"{back}, or raise budgets.{budget.Name}.limit.",
            verdict.RetryAfter < TimeSpan.MaxValue ? verdict.RetryAfter : null);
    }

    /// <summary>The caller's own limit for one request.</summary>
    public static Fault TooDear(Money cost, Money most) => new(
        FaultKind.BudgetExhausted,
        $"This request may cost up to {Text(cost)}, and its own limit (X-Spillway-Max-Cost) is {Text(most)}. Send "
        + "fewer rows, or allow more.");

    /// <summary>The disk.</summary>
    public static Fault NotSaved(string budget, string why) => new(
        FaultKind.StoreFailed,
        $"Budget {budget}: spending cannot be written to the disk ({why}), and budgets.{budget}.onStoreTrouble is "
        + "refuse. Nothing was spent. Retry in a second; the server's log says what to mend.",
        TimeSpan.FromSeconds(1));

    /// <summary>The line before a limit is full.</summary>
    public static Fault LineFull(string name, int most) => new(
        FaultKind.RateLimited,
        $"{most} requests wait already for {name}. Retry in a moment, or raise its queueLengthMax.",
        TimeSpan.FromMilliseconds(100));

    /// <summary>An amount without trailing zeros.</summary>
    internal static string Text(Money money) =>
        (money.Nano / 1_000_000_000m).ToString("0.#########", CultureInfo.InvariantCulture);

    private static string Of(string scope) => scope.Length > 0 ? $" ({scope})" : "";
}

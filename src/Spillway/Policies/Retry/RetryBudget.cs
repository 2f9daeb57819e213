using Spillway.Policies.Measuring;

namespace Spillway.Policies.Retry;

/// <summary>
/// What all requests to one group of targets may spend together on second attempts and hedged copies: a part of the
/// successes of the last <see cref="Window"/>, and a small floor. So when everything fails retries fade away instead of
/// multiplying, and a retry storm cannot be. Pure, one owner; allocates only when made.
/// </summary>
/// <remarks>
/// In any ten seconds at most max(part * successes, 10 * floor) second attempts begin. The part is Finagle's
/// (RetryBudget: 20 % over 10 s), the floor is Envoy's (retry_budget: 3 at once). A floor of attempts at once alone is
/// no bound where attempts fail within a millisecond, so it is a floor of attempts a second, too.
/// </remarks>
internal sealed class RetryBudget(RetryOptions options)
{
    /// <summary>How long a success counts.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly SlidingCount _successes = new(Window);
    private readonly SlidingCount _retries = new(Window);

    /// <summary>Second attempts and hedged copies under way, waits included.</summary>
    public int InFlight { get; private set; }

    /// <summary>An attempt succeeded, a first or a second one.</summary>
    public void Succeeded(Instant now) => _successes.Add(now);

    /// <summary>Takes one; every one that was taken ends with <see cref="Ended"/>. False: nothing is left.</summary>
    public bool TryTake(Instant now)
    {
        if (Left(now) <= 0)
            return false;
        _retries.Add(now);
        InFlight++;
        return true;
    }

    /// <summary>One that was taken is over, however it ended.</summary>
    public void Ended() => InFlight = Math.Max(0, InFlight - 1);

    /// <summary>How many may be taken now.</summary>
    public int Left(Instant now)
    {
        var spent = _retries.WithinAtLeast(now);
        var earned = (int)(options.BudgetPercent / 100 * _successes.Within(now));
        var floor = Math.Min(
            options.BudgetFloor - InFlight, (options.BudgetFloor * (int)Window.TotalSeconds) - spent);
        return Math.Max(0, Math.Max(earned - spent, floor));
    }
}

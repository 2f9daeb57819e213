using System.Globalization;
using Spillway.Policies.Measuring;

namespace Spillway.Policies.Retry;

/// <summary>Why a second copy is sent, or none.</summary>
internal enum HedgeReason : byte
{
    /// <summary>It takes longer than most.</summary>
    Slow,

    /// <summary>Hedging is off.</summary>
    Off,

    /// <summary>The work may not be done twice.</summary>
    NotIdempotent,

    /// <summary>Too few times are known to say what is slow.</summary>
    Unlearned,

    /// <summary>A copy sent then would not be back before the deadline.</summary>
    NoTime,

    /// <summary>The retry budget of the targets is spent.</summary>
    BudgetSpent,
}

/// <summary>Whether a second copy will be sent.</summary>
/// <param name="After">How long after the first; null for never.</param>
/// <param name="Reason">Why.</param>
internal readonly record struct HedgePlan(TimeSpan? After, HedgeReason Reason);

/// <summary>
/// Second copies for slow requests, after a percentile of the recent times and from the same budget as retries, so that
/// hedging ends by itself when everything is slow. Pure apart from the times that it learns; one owner; nothing is
/// allocated in a decision.
/// </summary>
/// <remarks>J. Dean, L. A. Barroso, "The tail at scale", CACM 56(2), 2013: hedged requests.</remarks>
/// <param name="options">The limits.</param>
/// <param name="budget">Shared with the retries to the same targets.</param>
internal sealed class HedgePolicy(HedgeOptions options, RetryBudget budget)
{
    private readonly LatencySketch _times = new();
    private readonly TimeSpan _delayMin = TimeSpan.FromMilliseconds(options.DelayMinMs);
    private TimeSpan _delay;
    private int _sinceRead;

    /// <summary>A request was answered, without help of a second copy, in that time.</summary>
    public void Observe(TimeSpan time)
    {
        _times.Add(time);
        // Reading walks through all cells; one time in sixteen moves a percentile of hundreds by next to nothing.
        if (++_sinceRead >= 16 || _delay == TimeSpan.Zero)
            (_delay, _sinceRead) = (_times.At(options.Percentile / 100), 0);
    }

    /// <summary>Plans when a request begins; takes nothing.</summary>
    /// <param name="isIdempotent">Whether the work may be done twice.</param>
    /// <param name="now">When the first copy is sent.</param>
    /// <param name="deadline">When the answer is due.</param>
    public HedgePlan Plan(bool isIdempotent, Instant now, Instant deadline)
    {
        if (!options.Enabled)
            return new(null, HedgeReason.Off);
        if (!isIdempotent)
            return new(null, HedgeReason.NotIdempotent);
        if (_times.Count < options.SamplesMin)
            return new(null, HedgeReason.Unlearned);
        var after = _delay > _delayMin ? _delay : _delayMin;
        // Half of all copies are answered within the median, which is less than the delay.
        return now + after + after > deadline ? new(null, HedgeReason.NoTime) : new(after, HedgeReason.Slow);
    }

    /// <summary>
    /// The delay has passed without an answer: takes one of the budget, which goes back with
    /// <see cref="RetryBudget.Ended"/> when the copy is over. False: nothing is left.
    /// </summary>
    public bool TryBegin(Instant now) => budget.TryTake(now);

    /// <summary>The plan as a sentence, for the record of the request.</summary>
    public string Explain(in HedgePlan plan) => plan.Reason switch
    {
        HedgeReason.Slow => string.Create(
            CultureInfo.InvariantCulture,
            $"a second copy after {plan.After?.TotalMilliseconds:0.#} ms, p{options.Percentile:0.#} of {_times.Count}"),
        HedgeReason.Off => "no second copy: hedging is off",
        HedgeReason.NotIdempotent => "no second copy: this work may not be done twice",
        HedgeReason.Unlearned => $"no second copy: {_times.Count} of {options.SamplesMin} times are known",
        HedgeReason.NoTime => "no second copy: it would not be back before the deadline",
        HedgeReason.BudgetSpent => "no second copy: the retry budget is spent",
    };
}

namespace Spillway.Policies.Rates;

/// <summary>What a rate limit counts.</summary>
public enum RateUnit
{
    /// <summary>Requests a second.</summary>
    Requests,

    /// <summary>Rows a second.</summary>
    Items,

    /// <summary>Input bytes a second.</summary>
    Bytes,

    /// <summary>Tokens of language models a second.</summary>
    Tokens,

    /// <summary>Requests inside at once.</summary>
    Concurrency,
}

/// <summary>What a request takes from a rate limit.</summary>
/// <param name="Tenant">Whose it is, for fair shares.</param>
/// <param name="Weight">The tenant's, relative to the others'.</param>
/// <param name="Items">Its rows.</param>
/// <param name="Bytes">Bytes of its inputs.</param>
/// <param name="Tokens">The most tokens that it can use; what it does not use is given back at its end.</param>
public readonly record struct RateAsk(string Tenant, double Weight, long Items, long Bytes, long Tokens = 0);

/// <summary>Whether a request passes.</summary>
/// <param name="Wait">
/// Zero: at once. <see cref="TimeSpan.MaxValue"/>: when somebody leaves, and nobody knows when that is. Else: when
/// there is enough.
/// </param>
/// <param name="Unit">What is short, when something is.</param>
public readonly record struct RateVerdict(TimeSpan Wait, RateUnit Unit = RateUnit.Requests)
{
    /// <summary>At once.</summary>
    public bool Passed => Wait == TimeSpan.Zero;
}

/// <summary>What is left, for the caller.</summary>
/// <param name="Limit">The size of the bucket, or the places.</param>
/// <param name="Left">Of it, now.</param>
/// <param name="Reset">Until all of it is there again; zero where that is not known.</param>
/// <param name="Unit">Of the one with the least left.</param>
public readonly record struct RateLeft(long Limit, long Left, TimeSpan Reset, RateUnit Unit)
{
    /// <summary>The part that is left, 0 to 1.</summary>
    public double Share => Limit == 0 ? 1 : (double)Left / Limit;
}

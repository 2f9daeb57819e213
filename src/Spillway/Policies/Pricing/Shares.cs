namespace Spillway.Policies.Pricing;

/// <summary>
/// Divides a whole number among neighbours by weight so that the parts add up to it exactly: each gets the difference
/// of the rounded-down sums up to and before it, which is within one of its fair part. A part needs nothing but the
/// weights before it, so nobody has to sort remainders.
/// </summary>
public static class Shares
{
    /// <summary>One part.</summary>
    /// <param name="whole">What is divided; may be negative.</param>
    /// <param name="before">The weights of those before it, summed.</param>
    /// <param name="own">Its weight, not negative.</param>
    /// <param name="all">Every weight summed, positive.</param>
    public static long Of(long whole, long before, long own, long all) =>
        UpTo(whole, before + own, all) - UpTo(whole, before, all);

    private static long UpTo(long whole, long weights, long all) => (long)((Int128)whole * weights / all);
}

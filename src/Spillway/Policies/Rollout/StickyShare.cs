namespace Spillway.Policies.Rollout;

/// <summary>
/// Gives each caller a place from 0 to 9,999 that is the same on every replica and after every restart, and another one
/// in every rollout. Those below the share have the challenger, so a growing share adds callers and moves none.
/// </summary>
internal static class StickyShare
{
    /// <summary>Places.</summary>
    public const int Buckets = 10_000;

    private const ulong Offset = 14_695_981_039_346_656_037;
    private const ulong Prime = 1_099_511_628_211;

    /// <summary>
    /// A caller's place: FNV-1a (Fowler, Noll and Vo; RFC 9923) over salt and key, then mixed. Not secret: who chooses
    /// its key may choose its side.
    /// </summary>
    public static int BucketOf(ReadOnlySpan<char> salt, ReadOnlySpan<char> key) =>
        (int)(Mix(Add(Add(Offset, salt), key)) % Buckets);

    /// <summary>The place of a number, such as that of a request.</summary>
    public static int BucketOf(ulong number) => (int)(Mix(number) % Buckets);

    /// <summary>Whether a place is below a share.</summary>
    public static bool IsBelow(int bucket, double percent) => bucket < percent * (Buckets / 100.0);

    private static ulong Add(ulong hash, ReadOnlySpan<char> text)
    {
        foreach (var letter in text)
            hash = (hash ^ letter) * Prime;
        // Where one ends and the next begins counts too; no text holds this.
        return (hash ^ 0x1_0000) * Prime;
    }

    /// <summary>The finaliser of SplitMix64: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators",
    /// OOPSLA 2014. FNV alone leaves the low digits of similar keys alike.</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9e3779b97f4a7c15;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }
}

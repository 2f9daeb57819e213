namespace Spillway.Transforms.Tokens;

/// <summary>
/// Which two neighbouring symbols become one, and which pair does first: byte-pair encoding without its texts.
/// Immutable once filled.
/// </summary>
internal sealed class MergeTable
{
    /// <summary>No such pair: later than any rank.</summary>
    public const long None = long.MaxValue;

    /// <summary>An odd number spreads the keys of neighbouring ids; multiplying by it loses nothing.</summary>
    private const ulong Spread = 0x9E37_79B9_7F4A_7C15;

    private readonly Dictionary<ulong, long> _pairs = [];

    /// <summary>How many pairs.</summary>
    public int Count => _pairs.Count;

    /// <summary>Adds a pair; the first word about one counts.</summary>
    /// <param name="left">The left symbol; not negative.</param>
    /// <param name="right">The right symbol; not negative.</param>
    /// <param name="rank">Lower merges first; not negative.</param>
    /// <param name="merged">What they become.</param>
    public void Add(int left, int right, int rank, int merged) =>
        _pairs.TryAdd(Key(left, right), ((long)rank << 32) | (uint)merged);

    /// <summary>The pair's rank in the upper half and what it becomes in the lower one; <see cref="None"/> for no
    /// such pair.</summary>
    public long Find(int left, int right) =>
        (left | right) >= 0 && _pairs.TryGetValue(Key(left, right), out var found) ? found : None;

    private static ulong Key(int left, int right) => (((ulong)(uint)left << 32) | (uint)right) * Spread;
}

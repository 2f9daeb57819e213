using System.Collections.Concurrent;
using System.Collections.Frozen;
using Spillway.Store.Keys;

namespace Spillway.Engine.Access;

/// <summary>A key as requests meet it.</summary>
internal sealed class LiveKey
{
    private long _usedSecond;

    public LiveKey(StoredKey stored, LiveKey? before)
    {
        (Stored, Caller) = (stored, before?.Caller ?? MakeCaller(stored.Key));
        _usedSecond = before?._usedSecond ?? stored.Key.LastUsed?.ToUnixTimeSeconds() ?? 0;
        WrittenSecond = before?.WrittenSecond ?? _usedSecond;
    }

    /// <summary>As it lies in the store.</summary>
    public StoredKey Stored { get; }

    /// <summary>
    /// Who its holder is: one object over all of the key's rotations, because nothing of its rights ever changes.
    /// </summary>
    public Caller Caller { get; }

    /// <summary>When it was last used, in seconds since 1970; 0 for never.</summary>
    public long UsedSecond => Interlocked.Read(ref _usedSecond);

    /// <summary>Up to which use the store knows. Guarded by the ring's lock.</summary>
    public long WrittenSecond { get; set; }

    /// <summary>
    /// It was used now. Writes once a second, so that many requests of one key do not fight for the line.
    /// </summary>
    public void Touch(long nowTicks)
    {
        var second = (nowTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond;
        if (second > Interlocked.Read(ref _usedSecond))
            Interlocked.Exchange(ref _usedSecond, second);
    }

    private static Caller MakeCaller(AccessKey key) => new()
    {
        Tenant = key.Tenant,
        Key = key.Id,
        Roles = key.Roles,
        Models = key.Models?.ToFrozenSet(StringComparer.Ordinal),
        Detail = key.Detail,
        Criticality = key.Criticality,
    };
}

/// <summary>
/// Every key at one moment, and which texts were found to be one of them. A change makes another set, so that what was
/// found before is forgotten at once. Thread-safe.
/// </summary>
internal sealed class KeySet
{
    private readonly FrozenDictionary<string, LiveKey> _byId;
    private readonly FrozenDictionary<string, LiveKey>.AlternateLookup<ReadOnlySpan<char>> _bySpan;

    /// <param name="keys">All of them.</param>
    public KeySet(IEnumerable<LiveKey> keys)
    {
        _byId = keys.ToFrozenDictionary(k => k.Stored.Key.Id, StringComparer.Ordinal);
        _bySpan = _byId.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>All of them.</summary>
    public IReadOnlyList<LiveKey> All => _byId.Values;

    /// <summary>
    /// Texts that were verified, by their tags: at most two for each key, so as bounded as the keys are.
    /// </summary>
    public ConcurrentDictionary<UInt128, KnownKey> Known { get; } = new();

    /// <summary>The key of an id; null for none.</summary>
    public LiveKey? Find(ReadOnlySpan<char> id) => _bySpan.TryGetValue(id, out var key) ? key : null;
}

/// <summary>A verified text.</summary>
/// <param name="Key">Its key.</param>
/// <param name="UntilTicks">When it must be judged again, in UTC ticks.</param>
internal sealed record KnownKey(LiveKey Key, long UntilTicks);

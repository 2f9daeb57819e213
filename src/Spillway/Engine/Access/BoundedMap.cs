using System.Collections.Concurrent;

namespace Spillway.Engine.Access;

/// <summary>
/// Remembers what was used lately, in two generations: when the younger is half the limit, it becomes the older one,
/// and what the older had and nobody asked for since is forgotten. Every step takes constant time. Thread-safe; at the
/// moment of the turn a few entries may be lost, which a cache bears.
/// </summary>
/// <param name="max">The most entries, at least 2.</param>
internal sealed class BoundedMap<TKey, TValue>(int max)
    where TKey : notnull
{
    private readonly Lock _turning = new();
    private volatile ConcurrentDictionary<TKey, TValue> _young = new();
    private volatile ConcurrentDictionary<TKey, TValue> _old = new();
    private int _count;

    /// <summary>Entries now, at most the limit and what threads add at the same moment.</summary>
    public int Count => _young.Count + _old.Count;

    /// <summary>Finds an entry, which is thereby used.</summary>
    public bool TryGet(TKey key, out TValue value)
    {
        if (_young.TryGetValue(key, out value!))
            return true;
        if (!_old.TryGetValue(key, out value!))
            return false;
        Set(key, value);
        return true;
    }

    /// <summary>Adds or replaces an entry.</summary>
    public void Set(TKey key, TValue value)
    {
        if (!_young.TryAdd(key, value))
            _young[key] = value;
        else if (Interlocked.Increment(ref _count) >= max / 2)
            Turn();
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        lock (_turning)
            (_young, _old, _count) = (new(), new(), 0);
    }

    private void Turn()
    {
        lock (_turning)
        {
            if (Volatile.Read(ref _count) >= max / 2)
                (_old, _young, _count) = (_young, new(), 0);
        }
    }
}

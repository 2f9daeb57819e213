namespace Spillway.Engine.Gateway;

/// <summary>
/// The keys of an upstream. One that was refused is left alone for a while and the next one takes its place; the last
/// one is asked again at every request, for nobody else tells when it is taken again. Others may take the place of all
/// of them while requests are on their way. Thread-safe. Never shown.
/// </summary>
/// <param name="keys">None, or the first one first.</param>
internal sealed class GatewayKeys(IReadOnlyList<string> keys)
{
    /// <summary>How long a refused key is left alone: long enough to be noticed, short enough to come back.</summary>
    private static readonly TimeSpan s_rest = TimeSpan.FromMinutes(1);

    private volatile Ring _ring = new(keys);

    /// <summary>How many.</summary>
    public int Count => _ring.Keys.Count;

    /// <summary>Others from the next request on; false when they are the same.</summary>
    public bool Replace(IReadOnlyList<string> others)
    {
        if (_ring.Keys.SequenceEqual(others, StringComparer.Ordinal))
            return false;
        _ring = new(others);
        return true;
    }

    /// <summary>The key to send; -1 and nothing where there are none.</summary>
    public (int Index, string Text) Take(Instant now)
    {
        var ring = _ring;
        for (var i = 0; i < ring.Keys.Count; i++)
        {
            if (!ring.Rests(i, now))
                return (i, ring.Keys[i]);
        }

        // All of them rest: the one whose rest ends first.
        return ring.Keys.Count == 0 ? (-1, "") : (ring.Soonest(), ring.Keys[ring.Soonest()]);
    }

    /// <summary>It was refused; true when another one may be tried at once.</summary>
    /// <param name="index">As it was taken.</param>
    /// <param name="text">The same.</param>
    /// <param name="now">The present.</param>
    public bool Refused(int index, string text, Instant now)
    {
        var ring = _ring;
        if (index < 0)
            return false;
        // Others took the place of all of them meanwhile: who is refused with an old one asks with a new one.
        if (!ring.Has(index, text))
            return ring.Keys.Count > 0;
        if (ring.Keys.Count < 2)
            return false;
        ring.Rest(index, now + s_rest);
        for (var i = 0; i < ring.Keys.Count; i++)
        {
            if (!ring.Rests(i, now))
                return true;
        }

        return false;
    }

    /// <summary>Keys that were given together.</summary>
    private sealed class Ring(IReadOnlyList<string> keys)
    {
        private readonly long[] _restUntil = new long[keys.Count];

        public IReadOnlyList<string> Keys => keys;

        public bool Has(int index, string text) => index < keys.Count && keys[index] == text;

        public bool Rests(int index, Instant now) => Volatile.Read(ref _restUntil[index]) > now.Ticks;

        public void Rest(int index, Instant until) => Volatile.Write(ref _restUntil[index], until.Ticks);

        public int Soonest()
        {
            var soonest = 0;
            for (var i = 1; i < keys.Count; i++)
            {
                if (Volatile.Read(ref _restUntil[i]) < Volatile.Read(ref _restUntil[soonest]))
                    soonest = i;
            }

            return soonest;
        }
    }
}

namespace Spillway.Engine.Gateway;

/// <summary>
/// The keys of an upstream. One that was refused is left alone for a while and the next one takes its place; the last
/// one is asked again at every request, for nobody else tells when it is taken again. Thread-safe. Never shown.
/// </summary>
/// <param name="keys">None, or the first one first.</param>
internal sealed class GatewayKeys(IReadOnlyList<string> keys)
{
    /// <summary>How long a refused key is left alone: long enough to be noticed, short enough to come back.</summary>
    private static readonly TimeSpan s_rest = TimeSpan.FromMinutes(1);

    private readonly long[] _restUntil = new long[Math.Max(keys.Count, 1)];

    /// <summary>How many.</summary>
    public int Count => keys.Count;

    /// <summary>The key to send; -1 and nothing where there are none.</summary>
    public (int Index, string Text) Take(Instant now)
    {
        for (var i = 0; i < keys.Count; i++)
        {
            if (Volatile.Read(ref _restUntil[i]) <= now.Ticks)
                return (i, keys[i]);
        }

        // All of them rest: the one whose rest ends first.
        var soonest = 0;
        for (var i = 1; i < keys.Count; i++)
        {
            if (Volatile.Read(ref _restUntil[i]) < Volatile.Read(ref _restUntil[soonest]))
                soonest = i;
        }

        return keys.Count == 0 ? (-1, "") : (soonest, keys[soonest]);
    }

    /// <summary>It was refused; true when another one may be tried at once.</summary>
    public bool Refused(int index, Instant now)
    {
        if (index < 0 || keys.Count < 2)
            return false;
        Volatile.Write(ref _restUntil[index], (now + s_rest).Ticks);
        for (var i = 0; i < keys.Count; i++)
        {
            if (Volatile.Read(ref _restUntil[i]) <= now.Ticks)
                return true;
        }

        return false;
    }
}

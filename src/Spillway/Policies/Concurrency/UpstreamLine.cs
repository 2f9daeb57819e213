using System.Globalization;

namespace Spillway.Policies.Concurrency;

/// <summary>
/// Requests that wait for a target with room, by class of criticality: the most critical class goes first, the least
/// critical one is given up first, and a line that does not empty is cut down to those who came just now. Slots are the
/// owner's numbers from 0 up to the capacity. Bounded; pure, one owner; allocates only when made.
/// </summary>
/// <remarks>
/// B. Maurer, "Fail at scale", CACM 58(11), 2015: controlled delay (a request may wait N while the line was empty
/// within the last N, else M, much less) and adaptive LIFO (the newest first once the line has built up). Linked lists
/// through arrays, one a class: a request leaves from the middle when its caller does.
/// </remarks>
internal sealed class UpstreamLine
{
    private const int Classes = 4;
    private const int None = -1;

    private readonly UpstreamLineOptions _options;
    private readonly TimeSpan _patience;
    private readonly TimeSpan _shortPatience;
    private readonly Entry[] _entries;
    private readonly int[] _oldest = [None, None, None, None];
    private readonly int[] _newest = [None, None, None, None];
    private readonly int[] _counts = new int[Classes];
    private Instant _emptyAt;
    private Instant _nextEnd = Instant.Never;

    /// <summary>Nobody waits.</summary>
    public UpstreamLine(UpstreamLineOptions options, Instant now)
    {
        _options = options;
        _patience = TimeSpan.FromMilliseconds(options.WaitMs);
        _shortPatience = TimeSpan.FromMilliseconds(Math.Min(options.BuiltUpWaitMs, options.WaitMs));
        // The owner's slots may be one more than wait: the newcomer holds one before it is told that there is no room.
        _entries = new Entry[options.LengthMax + 1];
        _emptyAt = now;
        foreach (ref var entry in _entries.AsSpan())
            entry.Class = None;
    }

    /// <summary>How many wait.</summary>
    public int Count { get; private set; }

    /// <summary>How many of a class wait.</summary>
    public int CountOf(Criticality criticality) => _counts[(int)criticality];

    /// <summary>Not later than the first end of a wait: when to call <see cref="Expire"/>.</summary>
    public Instant WakeAt => Count == 0 ? Instant.Never : _nextEnd;

    /// <summary>Whether it has not been empty for as long as a request may wait at most.</summary>
    public bool IsBuiltUp(Instant now) => Count > 0 && now - _emptyAt > _patience;

    /// <summary>A request stands in line, when there is room or a less critical one to give up.</summary>
    /// <param name="slot">Its number; not in the line, and at most the capacity.</param>
    /// <param name="criticality">Its class.</param>
    /// <param name="latestStart">When it must be sent to be answered in time.</param>
    /// <param name="now">The present.</param>
    public LineVerdict Add(int slot, Criticality criticality, Instant latestStart, Instant now)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)_entries.Length);
        if (_entries[slot].Class != None)
            throw new InvalidOperationException($"Slot {slot} stands in line already.");
        var (shed, shedClass) = (None, default(Criticality));
        if (Count >= _options.LengthMax)
        {
            shedClass = LowestClass();
            if (shedClass >= criticality)
                return new(LineSays.Full);
            // The one that waited longest: its wait ends first anyway.
            shed = _oldest[(int)shedClass];
            Unlink(shed, now);
        }

        if (Count == 0)
            _emptyAt = now;
        var patience = IsBuiltUp(now) ? _shortPatience : _patience;
        Link(slot, (int)criticality, new() { Since = now, Ends = Instant.Earlier(now + patience, latestStart) });
        _entries[slot].IsLate = latestStart <= now + patience;
        _nextEnd = Instant.Earlier(_nextEnd, _entries[slot].Ends);
        return new(shed == None ? LineSays.Waits : LineSays.WaitsForAnother, shed, shedClass, patience);
    }

    /// <summary>
    /// The next to be sent, which leaves the line; -1 when nobody waits. Call <see cref="Expire"/> first, or one may be
    /// sent whose wait is over.
    /// </summary>
    public int Take(Instant now)
    {
        for (var level = Classes - 1; level >= 0; level--)
        {
            if (_counts[level] == 0)
                continue;
            var slot = _options.NewestFirst && IsBuiltUp(now) ? _newest[level] : _oldest[level];
            Unlink(slot, now);
            return slot;
        }

        return None;
    }

    /// <summary>A request leaves, because its caller did; false when it does not stand in line.</summary>
    public bool Remove(int slot, Instant now)
    {
        if ((uint)slot >= (uint)_entries.Length || _entries[slot].Class == None)
            return false;
        Unlink(slot, now);
        return true;
    }

    /// <summary>
    /// Those whose wait is over leave; how many did. When the span is full, call it again.
    /// </summary>
    public int Expire(Instant now, Span<LineDrop> drops)
    {
        if (now < _nextEnd || drops.Length == 0)
            return 0;
        var dropped = 0;
        _nextEnd = Instant.Never;
        for (var level = 0; level < Classes; level++)
        {
            for (int slot = _oldest[level], next; slot != None; slot = next)
            {
                ref var entry = ref _entries[slot];
                next = entry.Newer;
                if (entry.Ends > now || dropped == drops.Length)
                {
                    _nextEnd = Instant.Earlier(_nextEnd, entry.Ends);
                    continue;
                }

                drops[dropped++] = new(slot, now - entry.Since, entry.IsLate);
                Unlink(slot, now);
            }
        }

        return dropped;
    }

    /// <summary>The line as a sentence, for the record of the request.</summary>
    public string Explain(Instant now) => IsBuiltUp(now)
        ? Text($"{Count} of {_options.LengthMax} wait, not empty for {(now - _emptyAt).TotalMilliseconds:0} ms: ")
            + Text($"each may wait {_options.BuiltUpWaitMs:0.#} ms")
        : Text($"{Count} of {_options.LengthMax} wait: each may wait {_options.WaitMs:0.#} ms");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private Criticality LowestClass()
    {
        var level = 0;
        while (_counts[level] == 0)
            level++;
        return (Criticality)level;
    }

    private void Link(int slot, int level, Entry entry)
    {
        (entry.Class, entry.Older, entry.Newer) = (level, _newest[level], None);
        _entries[slot] = entry;
        if (entry.Older == None)
            _oldest[level] = slot;
        else
            _entries[entry.Older].Newer = slot;
        _newest[level] = slot;
        _counts[level]++;
        Count++;
    }

    private void Unlink(int slot, Instant now)
    {
        ref var entry = ref _entries[slot];
        var level = entry.Class;
        if (entry.Older == None)
            _oldest[level] = entry.Newer;
        else
            _entries[entry.Older].Newer = entry.Newer;
        if (entry.Newer == None)
            _newest[level] = entry.Older;
        else
            _entries[entry.Newer].Older = entry.Older;
        entry.Class = None;
        _counts[level]--;
        if (--Count == 0)
            _emptyAt = now;
    }

    private struct Entry
    {
        /// <summary>Its class; -1 for a slot that does not stand in line.</summary>
        public int Class;

        public int Older;
        public int Newer;
        public Instant Since;
        public Instant Ends;
        public bool IsLate;
    }
}

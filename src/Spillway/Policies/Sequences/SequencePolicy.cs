namespace Spillway.Policies.Sequences;

/// <summary>
/// Which sequences of requests live, and the order of their requests: of each sequence one at a time, in the order of
/// arrival, on the state that the one before left. Pure, one owner, explicit time. Everything is bounded by the options
/// and allocated at once; afterwards only a refusal allocates, and that outside.
/// <code>
/// Arrive  -> Run:  hand the request on; when it is over, however it ended: Done
///         -> Wait: keep it; Done of the one before names it, or Leave when its caller goes first
/// Done    -> the next request of the sequence, if one waits
/// Expire  -> sequences that were idle for too long; call it at WakeAt, and before Arrive at a later instant
/// </code>
/// A sequence holds a state number from its first request until it has ended or expired, so that the states
/// themselves can be kept in an array beside the policy.
/// </summary>
public sealed class SequencePolicy
{
    private readonly SequenceOptions _options;
    private readonly TimeSpan _idle;
    private readonly Dictionary<SequenceKey, int> _live;
    private readonly Sequence[] _sequences;
    private readonly Stack<int> _free;
    private readonly Request[] _requests;

    // Expired ids, so that a late request is told what happened; the oldest give way.
    private readonly Queue<SequenceKey> _expiredOrder;
    private readonly HashSet<SequenceKey> _expired;
    private int _oldestIdle = -1;
    private int _newestIdle = -1;

    /// <summary>No sequence lives.</summary>
    /// <param name="options">The limits.</param>
    /// <param name="slots">Requests are numbered from 0 to below this.</param>
    public SequencePolicy(SequenceOptions options, int slots)
    {
        (_options, _idle) = (options, TimeSpan.FromMilliseconds(options.IdleMs));
        (_live, _sequences) = (new(options.SequencesMax), new Sequence[options.SequencesMax]);
        (_expiredOrder, _expired) = (new(options.SequencesMax), new(options.SequencesMax));
        _free = new(Enumerable.Range(0, options.SequencesMax).Reverse());
        _requests = new Request[slots];
    }

    /// <summary>Sequences that live.</summary>
    public int Count => _live.Count;

    /// <summary>When the next sequence expires; never while none is idle.</summary>
    public Instant WakeAt => _oldestIdle < 0 ? Instant.Never : _sequences[_oldestIdle].IdleSince + _idle;

    /// <summary>A request came. Call <see cref="Expire"/> first when <see cref="WakeAt"/> has come.</summary>
    /// <param name="mark">Its place in a sequence; null when it names none.</param>
    /// <param name="slot">Its number, not in use.</param>
    /// <param name="now">The instant.</param>
    /// <param name="state">The state that it runs on; -1 when it is refused.</param>
    public SequenceStep Arrive(SequenceMark? mark, int slot, Instant now, out int state)
    {
        if (now >= WakeAt)
            throw new InvalidOperationException("Sequences are overdue: call Expire before Arrive.");
        state = -1;
        if (mark is not { Key.IsNone: false } given)
            return SequenceStep.RefusedNoId;
        if (!_live.TryGetValue(given.Key, out var index))
            return Begin(given, slot, out state);
        ref var sequence = ref _sequences[index];
        if (Judge(sequence, given) is { } refused)
            return refused;
        state = index;
        _requests[slot] = new(Next: -1, given.Start, given.End);
        if (sequence.Running < 0)
        {
            Unlink(index);
            sequence.Running = slot;
            return SequenceStep.Run;
        }

        Append(ref sequence, slot);
        return SequenceStep.Wait;
    }

    /// <summary>
    /// The request of a sequence that was let go is over. When a start did not succeed there is no state, so the
    /// requests that wait for it are dropped, up to the next start. A later request that did not succeed leaves the
    /// state as it was.
    /// </summary>
    /// <param name="state">The sequence's state.</param>
    /// <param name="succeeded">Whether the model ran it.</param>
    /// <param name="now">The instant.</param>
    /// <param name="dropped">Receives requests that must be refused; room for waitingMax.</param>
    /// <param name="drops">How many.</param>
    public SequenceNext Done(int state, bool succeeded, Instant now, Span<int> dropped, out int drops)
    {
        ref var sequence = ref _sequences[state];
        var request = _requests[sequence.Running];
        sequence.Running = -1;
        drops = request.Start && !succeeded ? DropToStart(ref sequence, -1, dropped) : 0;
        if (sequence.Head >= 0)
        {
            sequence.Running = sequence.Head;
            sequence.Head = _requests[sequence.Head].Next;
            sequence.Tail = sequence.Head < 0 ? -1 : sequence.Tail;
            sequence.Waiting--;
            return new(sequence.Running, _requests[sequence.Running].Start);
        }

        if (request.End || (request.Start && !succeeded))
        {
            Remove(state);
            return SequenceNext.Over;
        }

        Link(state, now);
        return SequenceNext.None;
    }

    /// <summary>
    /// A request that waits left. When it was a start, those that wait for it are dropped, up to the next start. When
    /// it was the end, the one before it is.
    /// </summary>
    /// <param name="state">The sequence's state.</param>
    /// <param name="slot">The request.</param>
    /// <param name="dropped">Receives requests that must be refused; room for waitingMax.</param>
    /// <returns>How many were dropped, beside the one that left.</returns>
    public int Leave(int state, int slot, Span<int> dropped)
    {
        ref var sequence = ref _sequences[state];
        var before = -1;
        for (var at = sequence.Head; at != slot; at = _requests[at].Next)
            before = at;
        Cut(ref sequence, before, slot);
        if (_requests[slot] is { End: true, Start: false })
        {
            ref var last = ref _requests[before >= 0 ? before : sequence.Running];
            last = last with { End = true };
        }

        return _requests[slot].Start ? DropToStart(ref sequence, before, dropped) : 0;
    }

    /// <summary>Forgets sequences that were idle for too long, the oldest first.</summary>
    /// <param name="freed">Receives their states; when it is filled, call again.</param>
    /// <param name="now">The instant.</param>
    public int Expire(Span<int> freed, Instant now)
    {
        var count = 0;
        while (count < freed.Length && now >= WakeAt)
        {
            var index = _oldestIdle;
            Unlink(index);
            Remember(_sequences[index].Key);
            Remove(index);
            freed[count++] = index;
        }

        return count;
    }

    private SequenceStep Begin(in SequenceMark mark, int slot, out int state)
    {
        state = -1;
        if (!mark.Start)
            return _expired.Contains(mark.Key) ? SequenceStep.RefusedExpired : SequenceStep.RefusedUnknown;
        if (!_free.TryPop(out var index))
            return SequenceStep.RefusedSequences;
        _expired.Remove(mark.Key);
        _live.Add(mark.Key, index);
        _requests[slot] = new(Next: -1, mark.Start, mark.End);
        _sequences[index] = new() { Key = mark.Key, Running = slot, Head = -1, Tail = -1, Older = -1, Newer = -1 };
        state = index;
        return SequenceStep.Run;
    }

    private SequenceStep? Judge(in Sequence sequence, in SequenceMark mark)
    {
        var last = sequence.Tail >= 0 ? sequence.Tail : sequence.Running;
        var ended = last >= 0 && _requests[last].End;
        if (!mark.Start && ended)
            return SequenceStep.RefusedUnknown;
        if (mark.Start && !ended && !_options.Restart)
            return SequenceStep.RefusedConflict;
        return sequence.Running >= 0 && sequence.Waiting >= _options.WaitingMax ? SequenceStep.RefusedWaiting : null;
    }

    private void Append(ref Sequence sequence, int slot)
    {
        if (sequence.Tail >= 0)
            _requests[sequence.Tail] = _requests[sequence.Tail] with { Next = slot };
        else
            sequence.Head = slot;
        sequence.Tail = slot;
        sequence.Waiting++;
    }

    /// <summary>Takes one that waits out of the line; before is the one in front of it, -1 for none.</summary>
    private void Cut(ref Sequence sequence, int before, int slot)
    {
        var next = _requests[slot].Next;
        if (before < 0)
            sequence.Head = next;
        else
            _requests[before] = _requests[before] with { Next = next };
        if (next < 0)
            sequence.Tail = before;
        sequence.Waiting--;
    }

    /// <summary>Drops who waits behind a place, up to the next start.</summary>
    private int DropToStart(ref Sequence sequence, int before, Span<int> dropped)
    {
        var count = 0;
        var at = before < 0 ? sequence.Head : _requests[before].Next;
        while (at >= 0 && !_requests[at].Start)
        {
            dropped[count++] = at;
            var next = _requests[at].Next;
            Cut(ref sequence, before, at);
            at = next;
        }

        return count;
    }

    private void Remove(int index)
    {
        _live.Remove(_sequences[index].Key);
        _sequences[index] = default;
        _free.Push(index);
    }

    private void Remember(SequenceKey key)
    {
        if (_expiredOrder.Count == _options.SequencesMax)
            _expired.Remove(_expiredOrder.Dequeue());
        _expiredOrder.Enqueue(key);
        _expired.Add(key);
    }

    /// <summary>Idle from now on: the newest of the idle ones, because time does not run backwards.</summary>
    private void Link(int index, Instant now)
    {
        ref var sequence = ref _sequences[index];
        (sequence.IdleSince, sequence.Older, sequence.Newer) = (now, _newestIdle, -1);
        if (_newestIdle >= 0)
            _sequences[_newestIdle].Newer = index;
        else
            _oldestIdle = index;
        _newestIdle = index;
    }

    private void Unlink(int index)
    {
        ref var sequence = ref _sequences[index];
        if (sequence.Older >= 0)
            _sequences[sequence.Older].Newer = sequence.Newer;
        else
            _oldestIdle = sequence.Newer;
        if (sequence.Newer >= 0)
            _sequences[sequence.Newer].Older = sequence.Older;
        else
            _newestIdle = sequence.Older;
        (sequence.Older, sequence.Newer) = (-1, -1);
    }

    private readonly record struct Request(int Next, bool Start, bool End);

    private struct Sequence
    {
        public SequenceKey Key;
        public int Running;
        public int Head;
        public int Tail;
        public int Waiting;
        public Instant IdleSince;
        public int Older;
        public int Newer;
    }
}

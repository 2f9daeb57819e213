using Spillway.Policies.Sequences;

namespace Spillway.Engine.Sequences;

/// <summary>
/// The sequences of one deployment, live: interprets <see cref="SequencePolicy"/> and keeps the states. One short lock
/// guards both; the deployment is only called outside it. A request is placed first, so that every limit of the queue
/// holds for it, and gets ready when its turn has come.
/// This file is long because every step over its lock stands in it.
/// </summary>
internal sealed class SequenceKeeper : IDisposable
{
    /// <summary>State memory that is kept for reuse beside what lives.</summary>
    private const int SpareMax = 64;

    private readonly Lock _lock = new();
    private readonly Deployment _deployment;
    private readonly SequencePlan _plan;
    private readonly SequencePolicy _policy;
    private readonly Work?[] _works;
    private readonly Stack<int> _free;
    private readonly byte[]?[] _states;
    private readonly byte[] _zeros;
    private readonly Stack<byte[]> _spare = new(SpareMax);
    private readonly int[] _dropped;
    private readonly int[] _freed = new int[16];
    private readonly ITimer _timer;
    private Instant _armedAt = Instant.Never;
    private int _waiting;

    // No later than the first deadline of those that wait: it is found again only when the timer comes.
    private Instant _lateAt = Instant.Never;

    /// <summary>No sequence lives.</summary>
    /// <param name="deployment">Whose requests these are.</param>
    /// <param name="plan">How the model is fed.</param>
    /// <param name="capacity">Requests that the deployment may hold.</param>
    public SequenceKeeper(Deployment deployment, SequencePlan plan, int capacity)
    {
        // A request leaves the deployment just before its sequence, so for a moment there may be more of them here.
        var slots = 2 * capacity;
        (_deployment, _plan, _policy) = (deployment, plan, new(plan.Options, slots));
        (_works, _free) = (new Work?[slots], new(Enumerable.Range(0, slots)));
        (_states, _zeros) = (new byte[]?[plan.Options.SequencesMax], new byte[plan.StateBytes]);
        _dropped = new int[plan.Options.WaitingMax];
        _timer = deployment.Clock.Time.CreateTimer(
            static self => ((SequenceKeeper)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Sequences that live.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _policy.Count;
        }
    }

    /// <summary>A placed request with its inputs: runs when its sequence lets it.</summary>
    public void Arrive(Work work)
    {
        SequenceStep step;
        lock (_lock)
        {
            // Its caller may have left while its inputs were completed.
            if (work.Seat.Over)
                return;
            var now = _deployment.Clock.Now;
            Expire(now);
            step = Seat(work, now);
            Arm();
        }

        if (step is SequenceStep.Run)
        {
            _deployment.Ready(work);
        }
        else if (step is not SequenceStep.Wait)
        {
            _deployment.Instruments?.SequenceRefused();
            var key = work.Request.Sequence?.Key ?? default;
            var retry = TimeSpan.FromMilliseconds(_plan.Options.IdleMs);
            if (step is SequenceStep.RefusedWaiting)
                retry = work.Placement.Service + work.Placement.Wait + TimeSpan.FromMilliseconds(1);
            _deployment.Cancel(work, SequenceRefusals.Explain(
                step, key, work.Door.Route.Model.Name, _plan.Options, retry));
        }
    }

    /// <summary>The deployment is done with a request, once for each placed one; outside its lock.</summary>
    /// <param name="work">Held by the caller.</param>
    /// <param name="succeeded">It ran and is answered: its next state holds.</param>
    public void Over(Work work, bool succeeded)
    {
        Work? next;
        List<Work>? dropped;
        lock (_lock)
        {
            if (work.Seat.Over)
                return;
            work.Seat.Over = true;
            if (work.Seat.Slot < 0)
                return;
            next = work.Seat.Turn ? Done(work, succeeded, out dropped) : Leave(work, out dropped);
            Arm();
        }

        work.Release();
        foreach (var orphan in dropped ?? [])
        {
            _deployment.Cancel(orphan, Fault.Invalid(
                $"sequence {orphan.Request.Sequence?.Key} has no state: the request that was to begin it did not "
                + "succeed. Begin it anew with sequence_start."));
            orphan.Release();
        }

        // Not on this thread, which has a batch to complete.
        if (next is not null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static turn => turn.Go(), new Turn(_deployment, next), preferLocal: false);
        }
    }

    public void Dispose() => _timer.Dispose();

    private SequenceStep Seat(Work work, Instant now)
    {
        ref var seat = ref work.Seat;
        seat.Came = now;
        if (!_free.TryPop(out var slot))
        {
            seat.Refused = true;
            return SequenceStep.RefusedWaiting;
        }

        var mark = work.Request.Sequence is { } given
            ? given with { Key = given.Key with { Tenant = work.Caller.Tenant } } : (SequenceMark?)null;
        var step = _policy.Arrive(mark, slot, now, out var state);
        if (step is not (SequenceStep.Run or SequenceStep.Wait))
        {
            _free.Push(slot);
            seat.Refused = true;
            return step;
        }

        (seat.Slot, seat.State, _works[slot]) = (slot, state, work);
        work.Hold();
        if (step is SequenceStep.Run)
            Let(work, now);
        else
            Wait(work.Placement.Deadline);
        return step;
    }

    private void Wait(Instant deadline)
    {
        _lateAt = _waiting++ == 0 ? deadline : Instant.Earlier(_lateAt, deadline);
    }

    /// <summary>Its turn: on a new state, or on what the one before left.</summary>
    private void Let(Work work, Instant now)
    {
        ref var seat = ref work.Seat;
        (seat.Turn, seat.TurnAt) = (true, now);
        seat.Next = _spare.TryPop(out var spare) ? spare : new byte[_plan.StateBytes];
        var fresh = work.Request.Sequence is { Start: true };
        _plan.Feed(work.Inputs, fresh ? _zeros : _states[seat.State] ?? _zeros);
    }

    private Work? Done(Work work, bool succeeded, out List<Work>? dropped)
    {
        ref var seat = ref work.Seat;
        var (state, now) = (seat.State, _deployment.Clock.Now);
        var old = seat.Next;
        if (succeeded)
            (old, _states[state]) = (_states[state], seat.Next);
        seat.Next = null;
        Spare(old);
        var (slot, _, ended) = _policy.Done(state, succeeded, now, _dropped, out var drops);
        dropped = Orphans(drops);
        Free(ref seat);
        if (slot >= 0)
        {
            var next = _works[slot]!;
            _waiting--;
            Let(next, now);
            next.Hold();
            return next;
        }

        if (ended)
            Forget(state);
        return null;
    }

    private Work? Leave(Work work, out List<Work>? dropped)
    {
        ref var seat = ref work.Seat;
        _waiting--;
        dropped = Orphans(_policy.Leave(seat.State, seat.Slot, _dropped));
        Free(ref seat);
        return null;
    }

    private List<Work>? Orphans(int count)
    {
        if (count == 0)
            return null;
        List<Work> orphans = [];
        foreach (var slot in _dropped.AsSpan(0, count))
        {
            var work = _works[slot]!;
            work.Seat.Refused = true;
            Free(ref work.Seat);
            orphans.Add(work);
        }

        _waiting -= count;
        return orphans;
    }

    private void Free(ref SequenceSeat seat)
    {
        _works[seat.Slot] = null;
        _free.Push(seat.Slot);
        seat.Slot = -1;
    }

    private void Forget(int state)
    {
        Spare(_states[state]);
        _states[state] = null;
    }

    private void Spare(byte[]? state)
    {
        if (state is not null && _spare.Count < SpareMax)
            _spare.Push(state);
    }

    private void Expire(Instant now)
    {
        while (_policy.Expire(_freed, now) is > 0 and var count)
        {
            _deployment.Instruments?.SequencesExpired(count);
            foreach (var state in _freed.AsSpan(0, count))
                Forget(state);
        }
    }

    private void OnTimer()
    {
        List<Work>? late;
        lock (_lock)
        {
            _armedAt = Instant.Never;
            var now = _deployment.Clock.Now;
            Expire(now);
            late = now >= _lateAt ? Late(now) : null;
            Arm();
        }

        foreach (var work in late ?? [])
        {
            _deployment.Cancel(work, work.Flow.Dropped(FaultKind.DeadlineExceeded, work.Placement));
            work.Release();
        }
    }

    private List<Work>? Late(Instant now)
    {
        List<Work>? late = null;
        _lateAt = Instant.Never;
        foreach (var work in _waiting > 0 ? _works : [])
        {
            if (work is null or { Seat.Turn: true })
                continue;
            if (work.Placement.Deadline > now)
            {
                _lateAt = Instant.Earlier(_lateAt, work.Placement.Deadline);
                continue;
            }

            work.Hold();
            (late ??= []).Add(work);
        }

        return late;
    }

    /// <summary>
    /// The deployment wakes only for requests that are ready; those that wait for their turn wake here.
    /// </summary>
    private void Arm()
    {
        var at = _waiting > 0 ? Instant.Earlier(_policy.WakeAt, _lateAt) : _policy.WakeAt;
        if (at == _armedAt)
            return;
        _armedAt = at;
        _timer.Change(
            at == Instant.Never ? Timeout.InfiniteTimeSpan : _deployment.Clock.Until(at), Timeout.InfiniteTimeSpan);
    }

    /// <summary>A request whose turn has come; holds it until the deployment knows.</summary>
    private readonly record struct Turn(Deployment Deployment, Work Work)
    {
        public void Go()
        {
            Deployment.Ready(Work);
            Work.Release();
        }
    }
}

namespace Spillway.Planner;

/// <summary>
/// The virtual clock of one or several worlds, which jumps from event to event. Events of one instant happen in the
/// order in which they were scheduled. One thread.
/// </summary>
/// <remarks>
/// A heap of four children a node holds the events as values: an event of an <see cref="IActor"/> allocates nothing,
/// which is what millions of simulated requests a second need. Four children make the heap half as deep as two, and
/// they lie side by side.
/// </remarks>
public sealed class Calendar
{
    private const int Children = 4;

    private Event[] _heap = new Event[64];
    private int _count;
    private long _sequence;

    /// <summary>The present.</summary>
    public Instant Now { get; private set; }

    /// <summary>Events to come.</summary>
    public int Count => _count;

    /// <summary>Events that happened so far.</summary>
    public long Happened { get; private set; }

    /// <summary>Something happens at that instant, not before the present.</summary>
    public void Schedule(Instant at, Action happens) => Add(new() { Ticks = at.Ticks, Who = happens });

    /// <summary>An actor is told at that instant, not before the present. Allocates nothing.</summary>
    /// <param name="at">When.</param>
    /// <param name="who">Whose event it is.</param>
    /// <param name="what">The actor's own number for the kind of event.</param>
    /// <param name="which">The actor's own number, as of a runner.</param>
    /// <param name="id">The actor's own number, as of a run.</param>
    public void Schedule(Instant at, IActor who, int what, int which = 0, long id = 0) =>
        Add(new() { Ticks = at.Ticks, Who = who, What = what, Which = which, Id = id });

    /// <summary>Lives through everything scheduled, and what follows from it.</summary>
    public void Run()
    {
        while (Step())
        {
        }
    }

    /// <summary>Lives through the next event; false when there is none.</summary>
    public bool Step()
    {
        if (_count == 0)
            return false;
        var next = _heap[0];
        RemoveFirst();
        Now = new(next.Ticks);
        Happened++;
        if (next.Who is IActor actor)
            actor.Happen(next.What, next.Which, next.Id);
        else
            ((Action)next.Who)();
        return true;
    }

    private void Add(Event fresh)
    {
        if (_count == _heap.Length)
            Array.Resize(ref _heap, _count * 2);
        fresh.Sequence = _sequence++;
        var at = _count++;
        while (at > 0)
        {
            var parent = (at - 1) / Children;
            if (!fresh.Precedes(_heap[parent]))
                break;
            _heap[at] = _heap[parent];
            at = parent;
        }

        _heap[at] = fresh;
    }

    private void RemoveFirst()
    {
        var last = _heap[--_count];
        _heap[_count] = default;
        if (_count == 0)
            return;
        var at = 0;
        for (var first = 1; first < _count; first = (at * Children) + 1)
        {
            var least = first;
            var end = Math.Min(first + Children, _count);
            for (var child = first + 1; child < end; child++)
            {
                if (_heap[child].Precedes(_heap[least]))
                    least = child;
            }

            if (!_heap[least].Precedes(last))
                break;
            _heap[at] = _heap[least];
            at = least;
        }

        _heap[at] = last;
    }

    private struct Event
    {
        public long Ticks;
        public long Sequence;
        public object Who;
        public long Id;
        public int What;
        public int Which;

        public readonly bool Precedes(in Event other) =>
            Ticks < other.Ticks || (Ticks == other.Ticks && Sequence < other.Sequence);
    }
}

/// <summary>Something with events on a <see cref="Calendar"/>.</summary>
public interface IActor
{
    /// <summary>One of its events is due; the present is the calendar's.</summary>
    /// <param name="what">The kind, as it was scheduled.</param>
    /// <param name="which">As it was scheduled.</param>
    /// <param name="id">As it was scheduled.</param>
    void Happen(int what, int which, long id);
}

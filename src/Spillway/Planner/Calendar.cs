namespace Spillway.Planner;

/// <summary>
/// The virtual clock of one or several worlds, which jumps from event to event. Events of one instant happen in the
/// order in which they were scheduled. One thread.
/// </summary>
/// <remarks>
/// A heap of four children a node holds when events are due and the number of the place where the rest of each is kept:
/// 16 bytes that move without a reference among them. Four children make the heap half as deep as two, and they lie
/// side by side. What happens usually has a consequence, so the first of the heap is taken out only when the next event
/// is due: until then the first consequence takes its place, which is one way through the heap in place of two. An
/// event of an <see cref="IActor"/> allocates nothing.
/// </remarks>
public sealed class Calendar
{
    private const int Children = 4;
    private const int PlaceBits = 24;

    /// <summary>More events to come than this are a loop that schedules itself.</summary>
    private const int PlacesMax = 1 << PlaceBits;

    private Due[] _heap = new Due[64];
    private Event[] _events = new Event[64];
    private int[] _free = new int[64];
    private int _freeCount;
    private int _places;
    private int _count;
    private bool _isFirstOver;
    private long _sequence;

    /// <summary>The present.</summary>
    public Instant Now { get; private set; }

    /// <summary>Events to come.</summary>
    public int Count => _count - (_isFirstOver ? 1 : 0);

    /// <summary>Events that happened so far.</summary>
    public long Happened { get; private set; }

    /// <summary>Something happens at that instant, not before the present.</summary>
    public void Schedule(Instant at, Action happens) => Schedule(at, new Once(happens), what: 0);

    /// <summary>An actor is told at that instant, not before the present. Allocates nothing.</summary>
    /// <param name="at">When.</param>
    /// <param name="who">Whose event it is.</param>
    /// <param name="what">The actor's own number for the kind of event.</param>
    /// <param name="which">The actor's own number, as of a runner.</param>
    /// <param name="id">The actor's own number, as of a run.</param>
    public void Schedule(Instant at, IActor who, int what, int which = 0, long id = 0)
    {
        var place = _freeCount > 0 ? _free[--_freeCount] : NewPlace();
        ref var kept = ref _events[place];
        (kept.Who, kept.Id, kept.What, kept.Which) = (who, id, what, which);
        var fresh = new Due(at.Ticks, (_sequence++ << PlaceBits) | (uint)place);
        if (_isFirstOver)
        {
            _isFirstOver = false;
            SinkFrom(fresh);
            return;
        }

        Rise(fresh);
    }

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
        if (_isFirstOver)
            RemoveFirst();
        if (_count == 0)
            return false;
        ref readonly var first = ref _heap[0];
        var place = (int)(first.Order & (PlacesMax - 1));
        Now = new(first.Ticks);
        _isFirstOver = true;
        Happened++;
        ref var kept = ref _events[place];
        var (who, what, which, id) = (kept.Who, kept.What, kept.Which, kept.Id);
        kept.Who = null!;
        _free[_freeCount++] = place;
        who.Happen(what, which, id);
        return true;
    }

    private int NewPlace()
    {
        if (_places == PlacesMax)
            throw new InvalidOperationException($"More than {PlacesMax} simulated events are to come: something "
                + "schedules without end.");
        if (_places == _events.Length)
        {
            Array.Resize(ref _events, _places * 2);
            Array.Resize(ref _free, _places * 2);
        }

        return _places++;
    }

    private void Rise(in Due fresh)
    {
        if (_count == _heap.Length)
            Array.Resize(ref _heap, _count * 2);
        var at = _count++;
        var heap = _heap;
        while (at > 0)
        {
            var parent = (at - 1) / Children;
            if (!fresh.Precedes(heap[parent]))
                break;
            heap[at] = heap[parent];
            at = parent;
        }

        heap[at] = fresh;
    }

    private void RemoveFirst()
    {
        _isFirstOver = false;
        var last = _heap[--_count];
        if (_count > 0)
            SinkFrom(last);
    }

    /// <summary>Puts it in the place of the first, and then where it belongs.</summary>
    private void SinkFrom(in Due sinking)
    {
        var heap = _heap.AsSpan(0, _count);
        var at = 0;
        for (var first = 1; first < heap.Length; first = (at * Children) + 1)
        {
            var least = first;
            var end = Math.Min(first + Children, heap.Length);
            for (var child = first + 1; child < end; child++)
            {
                if (heap[child].Precedes(heap[least]))
                    least = child;
            }

            if (!heap[least].Precedes(sinking))
                break;
            heap[at] = heap[least];
            at = least;
        }

        heap[at] = sinking;
    }

    /// <summary>When an event is due, and in its lower bits where the rest of it is kept.</summary>
    /// <param name="Ticks">When.</param>
    /// <param name="Order">The order of scheduling, then the place.</param>
    private readonly record struct Due(long Ticks, long Order)
    {
        public bool Precedes(in Due other) => Ticks < other.Ticks || (Ticks == other.Ticks && Order < other.Order);
    }

    private struct Event
    {
        public IActor Who;
        public long Id;
        public int What;
        public int Which;
    }

    private sealed class Once(Action happens) : IActor
    {
        public void Happen(int what, int which, long id) => happens();
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

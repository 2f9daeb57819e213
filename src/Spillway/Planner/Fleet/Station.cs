namespace Spillway.Planner.Fleet;

/// <summary>How long a request is at a station.</summary>
public interface IStationTimes
{
    /// <summary>The time of the one that begins now, in ticks.</summary>
    long Next(int tag);
}

/// <summary>Who is told when requests leave a station.</summary>
public interface IStationSink
{
    /// <summary>It is done there.</summary>
    void Done(int tag, Instant now);
}

/// <summary>A queue, first come first served, before a number of equal places. Grows with its queue; one
/// thread.</summary>
/// <param name="calendar">The virtual clock.</param>
/// <param name="places">Requests served at once, at least 1.</param>
/// <param name="times">How long each takes.</param>
/// <param name="sink">Is told who is done.</param>
public sealed class Station(Calendar calendar, int places, IStationTimes times, IStationSink sink) : IActor
{
    private int[] _ring = new int[64];
    private int _head;
    private int _busy;

    /// <summary>Those that wait.</summary>
    public int Waiting { get; private set; }

    /// <summary>Somebody comes.</summary>
    public void Enter(int tag)
    {
        if (_busy < places)
        {
            _busy++;
            Begin(tag);
            return;
        }

        if (Waiting == _ring.Length)
            Grow();
        _ring[(_head + Waiting++) & (_ring.Length - 1)] = tag;
    }

    /// <inheritdoc/>
    void IActor.Happen(int what, int which, long id)
    {
        if (Waiting > 0)
        {
            var next = _ring[_head];
            _head = (_head + 1) & (_ring.Length - 1);
            Waiting--;
            Begin(next);
        }
        else
        {
            _busy--;
        }

        sink.Done(which, calendar.Now);
    }

    private void Begin(int tag) => calendar.Schedule(new(calendar.Now.Ticks + times.Next(tag)), this, what: 0, tag);

    private void Grow()
    {
        var larger = new int[_ring.Length * 2];
        for (var i = 0; i < Waiting; i++)
            larger[i] = _ring[(_head + i) & (_ring.Length - 1)];
        (_ring, _head) = (larger, 0);
    }
}

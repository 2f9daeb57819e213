namespace Spillway.Planner;

/// <summary>
/// The virtual clock of one or several worlds, which jumps from event to event. Events of one instant happen in the
/// order in which they were scheduled. One thread.
/// </summary>
public sealed class Calendar
{
    private readonly PriorityQueue<Action, (long Ticks, long Sequence)> _events = new();
    private long _sequence;

    /// <summary>The present.</summary>
    public Instant Now { get; private set; }

    /// <summary>Something happens at that instant, not before the present.</summary>
    public void Schedule(Instant at, Action happens) => _events.Enqueue(happens, (at.Ticks, _sequence++));

    /// <summary>Lives through everything scheduled, and what follows from it.</summary>
    public void Run()
    {
        while (_events.TryDequeue(out var happens, out var key))
        {
            Now = new(key.Ticks);
            happens();
        }
    }
}

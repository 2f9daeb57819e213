using Spillway.Flow;
using Spillway.Planner;

namespace Spillway.Tests.Simulation;

/// <summary>
/// How long each run of a journal took, in the order of their starts; a stopped one would have gone on.
/// </summary>
internal sealed class JournalTimes : IRunTimes
{
    private readonly Queue<TimeSpan> _times = new();

    public JournalTimes(FlowJournal journal)
    {
        var events = journal.Events;
        for (var i = 0; i < events.Count; i++)
        {
            if (events[i].Kind is not FlowEventKind.Batch)
                continue;
            var end = events.Skip(i).First(e => e.Kind is FlowEventKind.Finished && e.Runner == events[i].Runner);
            _times.Enqueue(end.Number == 1 ? end.At - events[i].At : TimeSpan.FromDays(1));
        }
    }

    public TimeSpan Next(int runner, int rows, long elements) =>
        _times.TryDequeue(out var time) ? time : TimeSpan.FromMilliseconds(5);
}

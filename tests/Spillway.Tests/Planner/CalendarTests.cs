using Spillway.Planner;

namespace Spillway.Tests.Planner;

public sealed class CalendarTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Events_happen_in_the_order_of_time_and_then_of_scheduling(int seed)
    {
        var calendar = new Calendar();
        var chance = new Chance(seed, "calendar");
        var scheduled = new List<(long At, int Number)>();
        var happened = new List<(long At, int Number)>();
        for (var i = 0; i < 2_000; i++)
        {
            var (at, number) = ((long)(chance.Next() * 50), i);
            scheduled.Add((at, number));
            if (i % 2 == 0)
                calendar.Schedule(new(at), () => happened.Add((calendar.Now.Ticks, number)));
            else
                calendar.Schedule(new(at), new Diary(calendar, happened), what: 0, which: number);
        }

        calendar.Run();
        Assert.Equal(scheduled.OrderBy(e => e.At).ThenBy(e => e.Number), happened);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_events_schedule_happens_in_the_same_order(int seed)
    {
        var calendar = new Calendar();
        var (chance, number) = (new Chance(seed, "chain"), 0);
        var due = new PriorityQueue<int, (long At, int Number)>();
        var (expected, happened) = (new List<int>(), new List<int>());
        for (var i = 0; i < 50; i++)
            Plan(0);
        while (due.TryDequeue(out var next, out var at))
        {
            Assert.Equal(due.Count + 1, calendar.Count);
            Assert.True(calendar.Step());
            Assert.Equal(at.At, calendar.Now.Ticks);
            expected.Add(next);
        }

        Assert.False(calendar.Step());
        Assert.Equal(expected, happened);

        void Plan(long from)
        {
            var (at, mine) = (from + (long)(chance.Next() * 20), number++);
            due.Enqueue(mine, (at, mine));
            calendar.Schedule(new(at), () =>
            {
                happened.Add(mine);
                // None, one or two: the number of events to come goes up and down, and the first may follow itself.
                for (var i = (int)(chance.Next() * 3); i > 0 && number < 3_000; i--)
                    Plan(calendar.Now.Ticks);
            });
        }
    }

    [Fact]
    public void Events_of_actors_allocate_nothing_once_the_calendar_has_grown()
    {
        var calendar = new Calendar();
        var diary = new Diary(calendar, new(20_000));
        Fill();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Fill();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Fill()
        {
            for (var i = 0; i < 5_000; i++)
                calendar.Schedule(calendar.Now + new TimeSpan(i), diary, what: 0, which: i);
            calendar.Run();
        }
    }

    private sealed class Diary(Calendar calendar, List<(long At, int Number)> happened) : IActor
    {
        public void Happen(int what, int which, long id) => happened.Add((calendar.Now.Ticks, which));
    }
}

namespace Spillway.Tests.Support;

public sealed class ManualTimeProviderTests
{
    private static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);

    [Fact]
    public void It_stands_still_until_it_is_told_to_move()
    {
        var time = new ManualTimeProvider();
        var (began, utc) = (time.GetTimestamp(), time.GetUtcNow());
        Assert.Equal((began, utc), (time.GetTimestamp(), time.GetUtcNow()));

        time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(3 * 7_000_003, time.GetTimestamp() - began);
        Assert.Equal(TimeSpan.FromSeconds(3), time.GetUtcNow() - utc);
        Assert.Equal(TimeSpan.FromSeconds(3), time.GetElapsedTime(began));
    }

    [Fact]
    public void Timers_fire_in_due_order_each_at_its_own_time()
    {
        var time = new ManualTimeProvider();
        List<(string Name, double At)> fired = [];
        var began = time.GetUtcNow();
        ITimer Timer(string name, double due, double period) => time.CreateTimer(
            _ => fired.Add((name, (time.GetUtcNow() - began).TotalMilliseconds)), null, Ms(due), Ms(period));
        using var late = Timer("late", 30, -1);
        using var often = Timer("often", 10, 15);
        using var soon = Timer("soon", 5, -1);
        using var gone = Timer("gone", 7, -1);
        gone.Dispose();

        time.Advance(Ms(30));

        Assert.Equal([("soon", 5.0), ("often", 10), ("often", 25), ("late", 30)], fired);
        Assert.Equal(1, time.TimersSet);
    }

    [Fact]
    public void A_changed_timer_fires_at_its_new_time_only_and_one_that_is_due_at_once_with_the_next_move()
    {
        var time = new ManualTimeProvider();
        var fired = 0;
        using var timer = time.CreateTimer(_ => fired++, null, Ms(5), Timeout.InfiniteTimeSpan);
        timer.Change(Ms(8), Timeout.InfiniteTimeSpan);
        time.Advance(Ms(7));
        Assert.Equal(0, fired);
        time.Advance(Ms(1));
        Assert.Equal(1, fired);

        timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        Assert.Equal(1, fired);
        time.Advance(TimeSpan.Zero);
        Assert.Equal(2, fired);
        Assert.False(time.AdvanceToNextTimer());
    }

    [Fact]
    public async Task Timeouts_of_tasks_follow_it()
    {
        var time = new ManualTimeProvider();
        var wait = new TaskCompletionSource().Task.WaitAsync(TimeSpan.FromMinutes(1), time);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(wait.IsCompleted);
        Assert.True(time.AdvanceToNextTimer());
        await Assert.ThrowsAsync<TimeoutException>(() => wait);
    }
}

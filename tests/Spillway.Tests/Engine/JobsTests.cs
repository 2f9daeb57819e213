using System.Collections.Concurrent;
using Spillway.Engine;
using Spillway.Tests.Server;
using Spillway.Tests.Support;

namespace Spillway.Tests.Engine;

public sealed class JobsTests
{
    [Fact]
    public async Task A_job_that_throws_is_told_and_the_next_ones_are_done()
    {
        var surprises = new ConcurrentQueue<Exception>();
        var done = 0;
        var jobs = new Jobs(10, TimeProvider.System) { Surprised = surprises.Enqueue };
        Assert.True(jobs.TryAdd(() => throw new ArgumentException("one")));
        Assert.True(jobs.TryAdd(() => done++));
        await jobs.DisposeAsync();

        Assert.Equal(1, done);
        Assert.Equal("one", Assert.Single(surprises).Message);
        Assert.True(jobs.IsIdle);
        Assert.False(jobs.TryAdd(() => done++));
    }

    [Fact]
    public async Task A_job_that_hangs_lets_the_others_go_on_after_the_patience_and_does_not_hold_up_the_end()
    {
        var time = new ManualTimeProvider();
        using var inside = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        using var next = new ManualResetEventSlim();
        var late = 0;
        var jobs = new Jobs(10, time) { Patience = TimeSpan.FromSeconds(60) };
        jobs.TryAdd(() =>
        {
            inside.Set();
            release.Wait();
        }, () => late++);
        jobs.TryAdd(next.Set);
        Assert.True(inside.Wait(TestServer.Patience));
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(next.IsSet);
        Assert.False(jobs.IsIdle);

        time.Advance(TimeSpan.FromSeconds(1));

        Assert.True(next.Wait(TestServer.Patience));
        Assert.Equal(1, late);
        Assert.True(SpinWait.SpinUntil(() => jobs.IsIdle, TestServer.Patience));
        var end = jobs.DisposeAsync().AsTask();
        Assert.False(end.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(5));
        await end.WaitAsync(TestServer.Patience);
        release.Set();
    }

    [Fact]
    public async Task Jobs_run_one_after_the_other_in_their_order()
    {
        var order = new List<int>();
        var jobs = new Jobs(100, TimeProvider.System) { Patience = TimeSpan.FromHours(1) };
        for (var i = 0; i < 100; i++)
        {
            var own = i;
            Assert.True(jobs.TryAdd(() => order.Add(own)));
        }

        await jobs.DisposeAsync();
        Assert.Equal(Enumerable.Range(0, 100), order);
    }
}

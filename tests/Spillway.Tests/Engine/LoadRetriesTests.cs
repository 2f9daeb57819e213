using Spillway.Config;
using Spillway.Config.Repository;
using Spillway.Engine;

namespace Spillway.Tests.Engine;

/// <summary>Loads of the repository that failed come again, ever more rarely.</summary>
public sealed class LoadRetriesTests
{
    private static readonly Fault s_fault = new(FaultKind.LoadFailed, "no memory");
    private static readonly RepositoryChange s_change = new("m", 1, new ModelOptions());

    [Fact]
    public void A_failed_load_is_due_after_a_pause_that_doubles_up_to_ten_minutes()
    {
        var retries = new LoadRetries(new() { PollMs = 15_000 });
        var now = new Instant(0);
        double[] pauses = [15, 30, 60, 120, 240, 480, 600, 600];
        foreach (var seconds in pauses)
        {
            retries.Ended(s_change, s_fault, now);
            Assert.Empty(retries.Due(now + TimeSpan.FromSeconds(seconds - 1), _ => true));
            now += TimeSpan.FromSeconds(seconds);
            Assert.Equal([s_change], retries.Due(now, _ => true));
        }
    }

    [Fact]
    public void One_that_went_well_or_is_not_served_any_more_is_forgotten()
    {
        var retries = new LoadRetries(new());
        retries.Ended(s_change, s_fault, new(0));
        retries.Ended(s_change, null, new(0));
        Assert.Empty(retries.Due(Instant.Never, _ => true));

        retries.Ended(s_change, s_fault, new(0));
        Assert.Empty(retries.Due(Instant.Never, _ => false));
        Assert.Empty(retries.Due(Instant.Never, _ => true));
    }
}
